require 'ipaddr'

# @api private
# @summary Fails with all that the types cannot see, each with the key of Hiera that is wrong
#
# With the types, what passes here is what the agent accepts: a manifest that it refuses would hold up the catalog.
Puppet::Functions.create_function(:'certlet::check') do
  # @param vault As in the class
  # @param agent As in the class
  # @param certificates Those that the server should have
  # @param services As in the class
  # @param interval As in the class
  # @param listed The names in certlet::certificates; the others are resources of modules
  # @return [Undef] it fails or not
  dispatch :check do
    param 'Certlet::Vault', :vault
    param 'Certlet::Agent', :agent
    param 'Hash[Certlet::Name, Certlet::Entry]', :certificates
    param 'Hash[Certlet::ServiceName, Certlet::Service]', :services
    param 'Certlet::Interval', :interval
    param 'Array[Certlet::Name]', :listed
    return_type 'Undef'
  end

  def check(vault, agent, certificates, services, interval, listed)
    all = certificates.sort.map { |name, one| [listed.include?(name) ? "certlet::certificates: #{name}:" : "Certlet::Certificate[#{name}]:", name, one] }
    wrong = of_vault(vault) + of_agent(agent) + of_interval(interval) + of_values('certlet::vault:', vault) + of_values('certlet::agent:', agent) +
            all.flat_map { |where, name, one| of_name(where, name, one) + of_values(where, one) + of_services(where, one, services) } +
            services.sort.flat_map { |name, one| of_values("certlet::services: #{name}:", one) } +
            of_credentials(vault, agent) + of_outputs(all, vault, agent)
    raise Puppet::Error, wrong.join("\n") unless wrong.empty?
  end

  def of_vault(vault)
    wrong = []
    wrong << 'certlet::vault: address: missing; where does Vault listen?' unless vault['address']
    wrong << 'certlet::vault: token_file: missing, for auth: token' if vault['auth'] == 'token' && !vault['token_file']
    ['client_cert_file', 'client_key_file'].each do |key|
      wrong << "certlet::vault: #{key}: missing, for auth: cert" if vault['auth'] == 'cert' && !vault[key]
    end
    wrong
  end

  def of_agent(agent)
    warn, critical = [agent['warn'] || '25d', agent['critical'] || '7d'].map do |duration|
      duration.to_i * { 's' => 1, 'm' => 60, 'h' => 3600, 'd' => 86_400 }[duration[-1]]
    end
    wrong = []
    wrong << 'certlet::agent: critical: is more than warn (7d and 25d when not given)' if critical > warn
    wrong << "certlet::agent: metrics_file: is inside of #{directory(agent)}, certlet's own" if agent['metrics_file']&.start_with?("#{directory(agent)}/")
    wrong
  end

  def directory(agent)
    agent['directory'] || '/etc/certlet'
  end

  # The first letter tells systemd's units apart; without one it is seconds.
  def of_interval(interval)
    seconds = interval.split.sum { |part| part.to_i * { 'm' => 60, 'h' => 3600, 'd' => 86_400 }.fetch(part[%r{[mhd]}], 1) }
    (seconds < 60) ? ["certlet::interval: #{interval}: is less than 1min"] : []
  end

  # Values

  def of_values(where, settings)
    settings.flat_map do |key, value|
      each = value.is_a?(Array) ? value : [value]
      wrong = each.map { |one| problem_of(key, one) }
      wrong << 'something stands twice in the list' if each.map { |one| one.to_s.downcase.chomp('/') }.uniq.size != each.size
      wrong << 'more bytes than the 198 of a line of the manifest' if too_long?(key, value)
      wrong.compact.map { |problem| "#{where} #{key}: #{problem}" }
    end
  end

  # What may hold a password is not repeated.
  def problem_of(key, value)
    case key
    when 'address' then 'is none of https://HOST[:PORT] and unix:///PATH, without a user' unless address?(value)
    when 'proxy' then 'is not SCHEME://HOST:PORT, without a user' unless endpoint?(value.sub(%r{\A[a-z0-9]+://}, ''), true)
    when 'tls_server_name' then "#{value} is no host name" unless host?(value)
    when 'names' then "#{value} is no host name" unless value == 'any' || host?(value.sub(%r{\A\*\.}, '')) || ip?(value)
    when 'verify' then "#{value} is not HOST:PORT [sni=NAME] [starttls=smtp|imap|pop3]" unless verify?(value)
    end
  end

  def too_long?(key, value)
    first, *others = call_function('certlet::value', value).lines(chomp: true)
    "#{key} = #{first}".bytesize > 198 || others.any? { |line| line.bytesize > 198 }
  end

  def host?(text)
    labels = text.split('.', -1)
    text.size <= 253 && labels.all? { |label| label =~ %r{\A[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\z} } && labels.last !~ %r{\A[0-9]*\z}
  end

  def ip?(text)
    text !~ %r{[/%\[]} && !IPAddr.new(text).nil?
  rescue IPAddr::Error
    false
  end

  # HOST[:PORT], where the host of an IPv6 address stands in brackets.
  def endpoint?(text, with_port)
    host, six, port = text.match(%r{\A(?:([^:\[\]]+)|\[([^\[\]]+)\])(?::([0-9]{1,5}))?\z})&.captures
    return false if port ? !port.to_i.between?(1, 65_535) : with_port

    six ? six.include?(':') && ip?(six) : !host.nil? && (host?(host) || ip?(host))
  end

  def address?(text)
    return path?(text.delete_prefix('unix://')) if text.start_with?('unix://')

    endpoint, path = text.match(%r{\Ahttps?://([^/]*)(/.*)?\z}).captures
    path = path.to_s.sub(%r{/+\z}, '')
    endpoint?(endpoint, false) && (path.empty? || path?(path))
  end

  def path?(text)
    text.split('/', -1).drop(1).none? { |part| ['', '.', '..'].include?(part) }
  end

  def verify?(text)
    endpoint, *options = text.split(%r{ +})
    endpoint?(endpoint, true) && options.map { |option| option[%r{\A\w+=}] }.uniq.size == options.size && options.all? do |option|
      option =~ %r{\Astarttls=(smtp|imap|pop3)\z} || (option.start_with?('sni=') && host?(option.delete_prefix('sni=')))
    end
  end

  # Certificates

  def of_name(where, name, certificate)
    default = name.sub(%r{\A_wildcard\.}, '')
    return [] if certificate['names'] || host?(default) || ip?(name)

    ["#{where} names: missing; #{name} is no host name"]
  end

  def of_services(where, certificate, services)
    presets = call_function('certlet::presets')
    ((certificate['services'] || []) - services.keys - presets).map do |service|
      "#{where} services: #{service} is neither in certlet::services nor a preset (#{presets.join(', ')})"
    end
  end

  # Each is a file of its own, and none of those that the agent makes by itself.
  def of_credentials(vault, agent)
    clashes(credentials(vault).map { |key, path| ["certlet::vault: #{key}:", path] }, own(agent))
  end

  # No two certificates write one path, none writes below a path of another, into certlet's own directories or over what it reads.
  def of_outputs(certificates, vault, agent)
    outputs = certificates.flat_map do |where, _, one|
      one.select { |key, _| key.end_with?('_path') }.sort.map { |key, path| ["#{where} #{key}:", path] }
    end
    clashes(outputs, own(agent).merge(of_settings(vault, agent)))
  end

  # Of these paths those that are at, above or below one that is taken, by one of their own as well.
  def clashes(paths, taken)
    paths.flat_map do |where, path|
      other = taken.find { |used, _| used == path || path.start_with?("#{used}/") || used.start_with?("#{path}/") }
      taken[path] ||= where.chomp(':')
      other ? ["#{where} #{path} is the same as, or inside of, #{other[0]}: #{other[1]}"] : []
    end
  end

  def own(agent)
    ['live', 'archive'].to_h { |part| ["#{directory(agent)}/#{part}", "certlet's own directory"] }.merge('/etc/certlet/manifest.ini' => 'the manifest')
  end

  def credentials(vault)
    with_given({ 'role_id_file' => '/etc/certlet/role-id', 'secret_id_file' => '/etc/certlet/secret-id', 'wrapped_secret_id_file' => nil }, vault)
  end

  def of_settings(vault, agent)
    of_agent = { 'state_directory' => '/var/lib/certlet', 'run_directory' => '/run/certlet', 'metrics_file' => nil }
    [['vault', credentials(vault).merge(vault.slice('token_file'))], ['agent', with_given(of_agent, agent)]].flat_map { |section, paths|
      paths.map { |key, path| [path, "certlet::#{section}: #{key}"] }
    }.to_h
  end

  def with_given(defaults, given)
    defaults.merge(given.slice(*defaults.keys)).compact
  end
end
