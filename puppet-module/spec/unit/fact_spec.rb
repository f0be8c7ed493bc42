require 'spec_helper'
require 'timeout'
require 'facter'
require 'puppet'
require File.join(MODULE, 'lib/facter/certlet')

describe CertletFact do
  around { |example| Dir.mktmpdir { |directory| @directory = directory and example.run } }

  let(:now) { Time.utc(2026, 11, 23) }
  let(:manifest) { "#{@directory}/manifest.ini" }
  let(:value) { described_class.value(now, manifest) }
  let(:certificate) do
    { 'name' => 'www.example.com', 'state' => 'ok', 'serial' => '03a1', 'not_after' => '2026-12-13T12:00:00Z', 'error' => 'left out' }
  end

  def says(document)
    File.write(manifest, "[agent]\nstate_directory = #{@directory}\n")
    File.write("#{@directory}/status.json", document.is_a?(String) ? document : JSON.generate(document))
  end

  it 'holds serial and days left of each certificate, and how the credentials are' do
    says('certlet' => '0.1.0', 'vault' => { 'credentials' => 'expiring' }, 'last_sync' => { 'exit' => 2 }, 'services' => [],
         'certificates' => [certificate, { 'name' => 'new.example.com', 'not_after' => nil }])
    expect(value['certificates']['www.example.com']).to eq('state' => 'ok', 'serial' => '03a1', 'days_left' => 20, 'not_after' => '2026-12-13T12:00:00Z')
    expect(value['certificates']['new.example.com']['days_left']).to be_nil
    expect(value).to include('version' => '0.1.0', 'credentials' => 'expiring', 'last_exit' => 2)
  end

  it 'never raises' do
    expect(value).to be_nil
    ['', '{', '[]', '{"certificates": 7}', '{"certificates": [{}]}', "\xff", '[' * 200, '7', 'null', '"x"'].each do |text|
      says(text)
      expect(described_class.value(now, manifest)).to be_nil, text
    end
  end

  it 'does not wait for a pipe, nor read a directory' do
    says({})
    File.unlink("#{@directory}/status.json")
    File.mkfifo("#{@directory}/status.json")
    expect(Timeout.timeout(5) { value }).to be_nil
    File.unlink(manifest)
    File.mkfifo(manifest)
    expect(Timeout.timeout(5) { described_class.state_directory(manifest) }).to eq('/var/lib/certlet')
    File.unlink(manifest)
    Dir.mkdir(manifest)
    expect(described_class.state_directory(manifest)).to eq('/var/lib/certlet')
  end

  it 'reads UTF-8 whatever the locale' do
    says('certlet' => '0.1.0', 'certificates' => [certificate.merge('issuer' => "Soci\u00e9t\u00e9", 'not_after' => 'never')], 'services' => [])
    before = Encoding.default_external
    begin
      Encoding.default_external = Encoding::US_ASCII
      expect(value['certificates']['www.example.com']).to include('issuer' => "Soci\u00e9t\u00e9", 'days_left' => nil)
    ensure
      Encoding.default_external = before
    end
  end

end

describe 'the fact certlet_login' do
  it 'says where Puppet keeps its own certificate' do
    load File.join(MODULE, 'lib/facter/certlet_login.rb')
    expect(Facter.value(:certlet_login)).to eq('certificate' => Puppet[:hostcert], 'key' => Puppet[:hostprivkey])
  end
end
