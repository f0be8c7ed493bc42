require 'spec_helper'

# The settings of the module's own data: how layers of Hiera become one.
describe 'certlet' do
  around { |example| Dir.mktmpdir { |directory| @directory = directory and example.run } }

  let(:hiera_config) { "#{@directory}/hiera.yaml" }
  let(:written) { catalogue.resource('file', '/etc/certlet/manifest.ini')[:content] }
  let(:above) { {} }
  let(:below) { { 'vault' => VAULT, 'role_id' => 'role', 'secret_id' => 'a-secret', 'certificates' => { 'a.example' => { 'services' => ['nginx'] }, 'b.example' => {} } } }
  # rspec-puppet keeps catalogs by their facts: each is another.
  let(:facts) { DEBIAN.merge('layer' => JSON.generate(above)) }

  before do
    layers = { 'above' => above, 'below' => below }.map do |name, settings|
      "#{@directory}/#{name}.yaml".tap { |path| File.write(path, JSON.generate(settings.transform_keys { |key| "certlet::#{key}" })) }
    end
    File.write(hiera_config, JSON.generate('version' => 5, 'hierarchy' => [{ 'name' => 'all', 'paths' => layers, 'data_hash' => 'yaml_data' }]))
  end

  it { is_expected.to contain_file('/etc/certlet/secret-id').with_content(sensitive('a-secret')) }

  context 'with a layer that takes a certificate away, and adds to another' do
    let(:above) { { 'certificates' => { 'a.example' => { 'services' => ['haproxy'], 'group' => 'ssl-cert' }, 'b.example' => { 'ensure' => 'absent' } } } }

    it { expect(written).to include("[certificate a.example]\ngroup = ssl-cert\nservices = nginx\n\thaproxy\n") }
    it { expect(written).not_to include('b.example') }
  end

  context 'with a layer that has a Vault of its own' do
    let(:above) { { 'vault' => { 'address' => ['https://near:8200', 'https://far:8200'] } } }
    let(:below) { super().merge('vault' => { 'address' => ['https://far:8200', 'https://farther:8200'], 'kv_mount' => 'kv' }) }

    it('keeps the order of preference') { expect(written).to include("[vault]\naddress = https://near:8200\n\thttps://far:8200\nkv_mount = kv\n\n") }
  end

  context 'with a layer that takes the credentials back' do
    let(:above) { { 'role_id' => nil, 'secret_id' => nil } }

    it { is_expected.to compile.with_all_deps }
    ['role-id', 'secret-id'].each { |name| it { is_expected.not_to contain_file("/etc/certlet/#{name}") } }
  end
end
