require 'json'
require 'time'

# What certlet says of this server in its status.json: for inventories, and for the class itself. Runs no command, raises never.
# There is none where there is no certlet.
module CertletFact
  module_function

  # Facts are loaded again by an agent that goes on: constants would be warned of.
  def certificate_keys
    ['state', 'problem', 'serial', 'fingerprint', 'issuer', 'names', 'not_before', 'not_after', 'source', 'version', 'services']
  end

  def service_keys
    ['state', 'reload_owed', 'last_reload']
  end

  def value(now = Time.now, manifest = '/etc/certlet/manifest.ini')
    document = JSON.parse(text(File.join(state_directory(manifest), 'status.json')))
    {
      'version' => document['certlet'],
      'credentials' => document.dig('vault', 'credentials'),
      'secret_id_expires' => document.dig('vault', 'secret_id_expires'),
      'last_exit' => document.dig('last_sync', 'exit'),
      'last_success' => document['last_success'],
      'certificates' => by_name(document['certificates'], certificate_keys) { |one| { 'days_left' => days(one['not_after'], now) } },
      'services' => by_name(document['services'], service_keys) { {} },
    }
  rescue StandardError
    nil
  end

  # The one key of the manifest that says where status.json is.
  def state_directory(manifest)
    text(manifest)[%r{^state_directory\s*=\s*(/\S+)}, 1] || '/var/lib/certlet'
  end

  # Of a regular file: reading a pipe would never end. Whatever the locale of who asks; no inventory takes more than that.
  def text(path)
    found = File.file?(path) && File.readable?(path) ? File.read(path, 16 * 1024 * 1024, encoding: 'UTF-8') : ''
    found.to_s.scrub
  end

  def by_name(all, keys)
    all.to_h { |one| [String(one.fetch('name')), one.slice(*keys).merge(yield(one))] }
  end

  def days(moment, now)
    moment && ((Time.iso8601(moment) - now) / 86_400).floor
  rescue ArgumentError
    nil
  end
end

Facter.add(:certlet) do
  setcode { CertletFact.value }
end
