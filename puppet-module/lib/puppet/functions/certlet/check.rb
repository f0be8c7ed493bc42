# @api private
# @summary Fails with all that the types cannot see, each with the key of Hiera that is wrong
Puppet::Functions.create_function(:'certlet::check') do
  # @param vault As in the class
  # @param agent As in the class
  # @param certificates Those that the server should have
  # @param services As in the class
  # @param presets The services that the agent knows by itself
  # @return [Undef] it fails or not
  dispatch :check do
    param 'Certlet::Vault', :vault
    param 'Certlet::Agent', :agent
    param 'Hash[Certlet::Name, Certlet::Entry]', :certificates
    param 'Hash[Certlet::ServiceName, Certlet::Service]', :services
    param 'Array[Certlet::ServiceName]', :presets
    return_type 'Undef'
  end

  def check(vault, agent, certificates, services, presets)
    directory = agent['directory'] || '/etc/certlet'
    wrong = of_vault(vault) + certificates.sort.flat_map { |name, one| of_names(name, one) + of_services(name, one, services, presets) } +
            of_outputs(certificates, directory)
    raise Puppet::Error, wrong.join("\n") unless wrong.empty?
  end

  def of_vault(vault)
    wrong = []
    wrong << 'certlet::vault: address: missing; where does Vault listen?' unless vault['address']
    if vault['auth'] == 'cert' && !(vault['client_cert_file'] && vault['client_key_file'])
      wrong << 'certlet::vault: client_cert_file, client_key_file: missing; the fact certlet does not say where Puppet keeps its own'
    end
    wrong << 'certlet::vault: token_file: missing, for auth: token' if vault['auth'] == 'token' && !vault['token_file']
    wrong
  end

  def of_names(name, certificate)
    return [] if certificate['names'] || name.sub(%r{\A_wildcard\.}, '') =~ %r{\A[^_.]+(\.[^_.]+)*\z}

    ["#{at(name)} names: missing; #{name} is no host name"]
  end

  def of_services(name, certificate, services, presets)
    ((certificate['services'] || []) - services.keys - presets).map do |service|
      "#{at(name)} services: #{service} is neither in certlet::services nor a preset (#{presets.join(', ')})"
    end
  end

  # No two certificates write one path, none writes below a path of another or into certlet's own directories.
  def of_outputs(certificates, directory)
    taken = ['live', 'archive'].to_h { |part| ["#{directory}/#{part}", "certlet's own directory"] }
    outputs = certificates.sort.flat_map do |name, one|
      one.select { |key, _| key.end_with?('_path') }.sort.map { |key, path| ["#{at(name)} #{key}:", path] }
    end
    outputs.flat_map do |where, path|
      other = taken.find { |used, _| used == path || path.start_with?("#{used}/") || used.start_with?("#{path}/") }
      taken[path] ||= where.chomp(':')
      other ? ["#{where} #{path} is the same as, or inside of, #{other[0]}: #{other[1]}"] : []
    end
  end

  def at(name)
    "certlet::certificates: #{name}:"
  end
end
