require 'json'
require 'rspec-puppet'
require 'tmpdir'

MODULE = File.expand_path('..', __dir__)
FAMILIES = { 'Debian' => 'Debian', 'Ubuntu' => 'Debian', 'RedHat' => 'RedHat', 'Rocky' => 'RedHat', 'AlmaLinux' => 'RedHat' }.freeze

# What the module reads of facts, for each system that metadata.json promises; one that is unknown here is an error.
def on_each_system
  JSON.parse(File.read("#{MODULE}/metadata.json"))['operatingsystem_support'].each do |system|
    name = system['operatingsystem']
    system['operatingsystemrelease'].each do |release|
      yield "#{name} #{release}", facts_of(name, FAMILIES.fetch(name), release)
    end
  end
end

def facts_of(name, family, release)
  { 'os' => { 'name' => name, 'family' => family, 'release' => { 'major' => release.partition('.')[0], 'full' => release } },
    'kernel' => 'Linux', 'osfamily' => family, 'operatingsystem' => name, 'operatingsystemmajrelease' => release,
    'certlet_login' => { 'certificate' => '/ssl/certs/node.pem', 'key' => '/ssl/private_keys/node.pem' } }
end

DEBIAN = facts_of('Debian', 'Debian', '12')
VAULT = { 'address' => 'https://vault.example.com:8200' }.freeze

RSpec.configure do |config|
  config.module_path = "#{MODULE}/spec/fixtures/modules"
  config.trusted_node_data = true
  config.mock_with :rspec
  config.after(:suite) { RSpec::Puppet::Coverage.report!(95) if ENV['COVERAGE'] }
end
