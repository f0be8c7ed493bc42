require 'spec_helper'
require 'open3'

# Each value passes the types; the agent refuses it all the same, so the catalog has to.
REFUSED = {
  'vault'       => {
    'address' => ['https://v:0', 'https://v?x', 'https://v:99999', 'https://u:secret@v', 'https://a_b', 'https://[::g]', 'https://1.2.3.999', 'unix:///a/../b',
                  ['https://v', 'https://v/']],
    'proxy' => ['http://p', 'http://u:secret@p:1', 'http://p:0'],
    'tls_server_name' => ['1.2.3.4', '*.a'],
    'role_id_file' => ['/etc/certlet/manifest.ini', '/etc/certlet/archive', '/etc/certlet'],
    'secret_id_file' => ['/etc/certlet/role-id', '/etc/certlet/manifest.ini', '/etc/certlet/live/x'],
    'wrapped_secret_id_file' => ['/etc/certlet/secret-id', '/etc/certlet/role-id'],
    'ca_file' => ["/#{'a' * 190}", "/#{"\u00e9" * 100}"],
  },
  'agent'       => { 'critical' => ['26d'], 'warn' => ['1h'], 'metrics_file' => ['/etc/certlet/a.prom', '/etc/certlet/live/a.prom'] },
  'certificate' => {
    'names' => [['a..b'], ['a-.b'], ['a' * 64], ['1.2.3.999'], ['a', 'A'], ['::g'], ["#{'a.' * 100}b"]],
    'services' => [['nginx', 'nginx'], ['unknown']],
    'source' => ["kv:#{'a' * 200}"],
    'cert_path' => ['/etc/certlet/live/x', '/etc/certlet', '/etc/certlet/archive', '/var/lib/certlet/x', '/run/certlet', '/etc/certlet/manifest.ini',
                    '/etc/certlet/role-id', '/etc/certlet/secret-id'],
  },
  'service'     => { 'verify' => ['a:0', 'a..b:1', 'a:1 sni=1.2.3.4', 'a:1 starttls=ftp', 'a:1 sni=a sni=b'], 'test' => ["/bin/a #{'b ' * 100}c"] },
}.freeze

# And these it takes.
TAKEN = {
  'vault'       => { 'address' => ['https://v:8200/a/b/', 'https://[::1]:8200', 'unix:///run/v'], 'proxy' => 'socks5h://[::1]:1', 'namespace' => 'a+b/c',
                     'tls_server_name' => 'v.example.com', 'auth_mount' => 'team/approle' },
  'agent'       => { 'user' => 7, 'warn' => '20d', 'critical' => '0s' },
  'certificate' => { 'names' => ['*.a', '2001:db8::1', '1.2.3.4', "#{'a.' * 90}b"], 'services' => [], 'source' => 'kv:a/b', 'owner' => 'DOMAIN\\user', 'fields' => { 'key' => 'k' } },
  'service'     => { 'unit' => 'a@b.service', 'test' => %q("/opt/my app/x" -t '"'), 'verify' => '[::1]:25 starttls=smtp sni=a.b', 'timeout' => '99d' },
}.freeze

describe 'certlet::check' do
  def arguments(section, settings)
    [{ 'address' => 'https://v' }.merge((section == 'vault') ? settings : {}), (section == 'agent') ? settings : {},
     { 'www.example.com' => (section == 'certificate') ? settings : {} }, (section == 'service') ? { 'x' => settings } : {}, '15min',
     ['www.example.com']]
  end

  REFUSED.each do |section, keys|
    keys.each do |key, values|
      it "refuses in #{section} a #{key} that the agent would, by its key, and tells no password" do
        values.each do |value|
          expect { subject.execute(*arguments(section, key => value)) }.to raise_error(Puppet::Error) { |error|
            expect(error.message).to match(%r{\Acertlet::(vault|agent|certificates: www\.example\.com|services: x): (#{key}|critical): })
            expect(error.message).not_to include('secret@')
          }, value.inspect
        end
      end
    end
  end

  it 'speaks of the resource of a certificate that is not in certlet::certificates' do
    certificates = { 'a' => { 'key_path' => '/x' }, 'b' => { 'key_path' => '/x', 'services' => ['gateway'] } }
    expect { subject.execute({ 'address' => 'https://v' }, {}, certificates, {}, '15min', ['a']) }.to raise_error(Puppet::Error) { |error|
      expect(error.message.lines.map { |line| line[%r{\A\S+}] }).to eq(['Certlet::Certificate[b]:', 'Certlet::Certificate[b]:'])
      expect(error.message).to end_with('certlet::certificates: a: key_path')
    }
  end

  it 'refuses an output where a file or a directory of a setting is' do
    vault = ['role_id_file', 'secret_id_file', 'wrapped_secret_id_file', 'token_file'].to_h { |key| [key, "/srv/#{key}"] }
    agent = { 'metrics_file' => '/srv/metrics.prom', 'state_directory' => '/srv/state', 'run_directory' => '/srv/run' }
    [*vault, *agent].each do |key, path|
      expect { subject.execute(vault.merge('address' => 'https://v'), agent, { 'a' => { 'cert_path' => path } }, {}, '15min', ['a']) }
        .to raise_error(Puppet::Error, %r{\Acertlet::certificates: a: cert_path: #{path} .*#{key}}), key
    end
  end

  it 'refuses half of what auth: cert logs in with' do
    { 'client_cert_file' => 'client_key_file', 'client_key_file' => 'client_cert_file' }.each do |given, missing|
      expect { subject.execute({ 'address' => 'https://v', 'auth' => 'cert', given => '/srv/x' }, {}, {}, {}, '15min', []) }
        .to raise_error(Puppet::Error, %r{\Acertlet::vault: #{missing}: missing})
    end
  end

  it 'takes an interval of a minute or more, however it is written' do
    ['0s', '59', '59s', '30s 29sec', '0h 0min'].each do |interval|
      expect { subject.execute({ 'address' => 'https://v' }, {}, {}, {}, interval, []) }.to raise_error(%r{\Acertlet::interval: #{interval}: }), interval
    end
    ['60', '30 30s', '1m', '1min', '1h', '1hr 5min', '1day', '2d'].each { |interval| subject.execute({ 'address' => 'https://v' }, {}, {}, {}, interval, []) }
  end

  it 'refuses a name that is no host name, without names' do
    ['a-', 'a' * 64, 'a.1', '_wildcard.-'].each do |name|
      expect { subject.execute({ 'address' => 'https://v' }, {}, { name => {} }, {}, '15min', [name]) }.to raise_error(Puppet::Error, %r{#{name}: names: missing}), name
    end
  end

  it 'lets pass what the agent reads' do
    all = [TAKEN['vault'], TAKEN['agent'], { 'www.example.com' => TAKEN['certificate'], '_wildcard.a' => {}, '1.2.3.4' => {}, 'x' * 253 => { 'names' => 'any' } },
           { 'x' => TAKEN['service'] }]
    subject.execute(*all, '15min', [])
    written = scope.call_function('epp', ['certlet/manifest.epp', ['vault', 'agent', 'certificates', 'services'].zip(all).to_h])
    said, status = Dir.mktmpdir do |directory|
      File.write("#{directory}/manifest.ini", written)
      Open3.capture2e(ENV.fetch('CERTLET'), '--test', '--manifest', "#{directory}/manifest.ini")
    end
    expect(status).to be_success, said
  end
end
