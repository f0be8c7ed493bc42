require 'json'
require 'net/http'
require 'timeout'
require 'yaml'

# @summary Asks Vault for a response-wrapped secret-id of this node's AppRole, when the node needs one
#
# Runs on the Puppet server. Its `certlet.yaml` (in the confdir, readable by the server alone) says where Vault is and which
# token may do this: `address`, `token_file`, and, if they differ, `ca_file`, `namespace`, `mount` (approle), `role` (the
# node's certname, for which a `%s` stands), `ttl` (seconds, 300), `timeout` (seconds, 10). The certname is the one that the server has authenticated.
#
# A node needs one when its fact `certlet` says that the credentials are missing, expiring or refused, or says nothing yet.
# Every compilation of such a node makes one, `--noop` too: set `secret_id_ttl` at the role.
# @see https://openbao.org/api-docs/auth/approle/#generate-new-secret-id
Puppet::Functions.create_function(:'certlet::wrapped_secret_id', Puppet::Functions::InternalFunction) do
  # @return [Optional[Sensitive[String]]] the wrapping token; undef when none is needed, or none could be had
  dispatch :wrapped_secret_id do
    scope_param
    return_type 'Optional[Sensitive[String[1]]]'
  end

  def wrapped_secret_id(scope)
    return nil unless needed?(scope['facts'])

    certname = scope['trusted']['certname']
    raise Puppet::Error, "#{certname} cannot be the name of a role" unless certname =~ %r{\A[a-z0-9_][a-z0-9._-]*\z}

    token = obtain(certname)
    token && Puppet::Pops::Types::PSensitiveType::Sensitive.new(token)
  end

  # Whatever goes wrong: the agent goes on with what it has, and that is better than a node without a catalog.
  def obtain(certname)
    settings = YAML.safe_load(File.read(File.join(Puppet[:confdir], 'certlet.yaml')))
    Timeout.timeout(settings.fetch('timeout', 10)) { ask(settings, certname) }
  rescue StandardError => e
    # That of a parser holds what it could not parse.
    why = e.is_a?(JSON::ParserError) ? 'the answer is no JSON' : e.message
    Puppet.warning("certlet::wrapped_secret_id: none for #{certname}: #{why}")
    nil
  end

  def needed?(facts)
    credentials = (facts['certlet'] || {})['credentials']
    credentials.nil? || ['missing', 'expiring', 'refused'].include?(credentials)
  end

  def ask(settings, certname)
    role = format(settings.fetch('role', '%s'), certname)
    url = URI("#{settings.fetch('address').chomp('/')}/v1/auth/#{settings.fetch('mount', 'approle')}/role/#{role}/secret-id")
    request = Net::HTTP::Post.new(url, headers(settings))
    request.body = '{}'
    response = connection(url, settings).request(request)
    response.value # raises unless it is good
    token = JSON.parse(response.body).dig('wrap_info', 'token')
    token.is_a?(String) && !token.empty? ? token : raise(Puppet::Error, 'the answer holds no wrapping token')
  end

  def headers(settings)
    all = { 'X-Vault-Token' => File.read(settings.fetch('token_file')).strip, 'X-Vault-Wrap-TTL' => settings.fetch('ttl', 300).to_s,
            'X-Vault-Request' => 'true', 'Content-Type' => 'application/json' }
    settings['namespace'] ? all.merge('X-Vault-Namespace' => settings['namespace']) : all
  end

  # Not by Puppet's own client: in a Puppet server that one knows no CA but Puppet's and the system's.
  def connection(url, settings)
    http = Net::HTTP.new(url.host, url.port, nil)
    http.use_ssl = url.scheme == 'https'
    http.ca_file = settings['ca_file']
    http
  end
end
