require 'spec_helper'

{
  'Certlet::Name'        => [['www.example.com', '_wildcard.example.com', 'a', 'x' * 253], ['', '-a', '.a', 'a.', 'a/b', "a\n", 'a]', 'x' * 254]],
  'Certlet::Hostname'    => [['*.example.com', 'a.b', '2001:db8::1'], ['*', '*.*.a', '-a', 'a b', 'any', 'a_b']],
  'Certlet::Path'        => [['/a', '/a/b.c', '/..a'], ['a', '/', '/a/', '/a//b', '/a/../b', '/a/.', "/a\n", '/a b']],
  'Certlet::MetricsFile' => [['/var/lib/a.prom'], ['/a', '/.prom', 'a.prom', '/a/../b.prom', '/a b.prom', "/a.prom\n", "/a\n.prom"]],
  'Certlet::KeyMode'     => [['0640', '600'], ['0644', '0601', '64', '8', '00640']],
  'Certlet::Mode'        => [['0644', '444'], ['0844', 'u=r']],
  'Certlet::Duration'    => [['30s', '25d'], ['0s', '5', '5min', '-1s', '99999d']],
  'Certlet::Interval'    => [['15min', '1h 30min', '0s', '9999999d'], ['often', '15 min; rm', "1\n", '99999999d', '1d 99999999d']],
  'Certlet::Address'     => [['https://v:8200', 'http://127.0.0.1:8200', 'unix:///run/v'], ['http://v:8200', 'v:8200', "https://v\n", 'unix:////v']],
  'Certlet::Account'     => [['root', 'www-data', 'DOMAIN\\user', 0], ['-x', 'a:b', '', 4_294_967_295, '4294967295']],
  'Certlet::Command'     => [['/usr/sbin/nginx -t', '"/opt/my app/x" -t'], ['nginx -t', "/a\n/b", '/a ;b', '/a ', '/a "b']],
  'Certlet::Verify'      => [['127.0.0.1:443 sni=a', '[::1]:25 starttls=smtp'], ['', 'a', 'a:1 ;b', "a:1\nb", 'a:1 tls=b']],
  'Certlet::Mount'       => [['team/a', 'a+b'], ['/a', 'a/', 'a//b', '../a', 'a/.', 'a.', 'a*', '+/a', 'a+*', '{{a}}', 'a b', "\u00e9"]],
  'Certlet::Word'        => [['team/a'], ['a b', '', 'a;b', "a\n"]],
  'Certlet::Source'      => [['kv:certs/a'], ['certs/a', 'kv:', 'kv:/a', 'pki:web', 'kv:a//b', 'kv:../a', 'kv:a*', 'kv:+/a']],
  'Certlet::ServiceName' => [['nginx', 'a@b'], ['-a', 'a b', 'a]', 'a.']],
  'Certlet::Entry'       => [[{}, { 'names' => 'any' }], [{ 'name' => 'x' }, { 'names' => [] }, { 'combined' => 'yes' }]],
  'Certlet::Vault'       => [[{}, { 'auth' => 'cert' }], [{ 'adress' => 'x' }, { 'auth' => 'ldap' }]],
  'Certlet::Agent'       => [[{ 'warn' => '25d', 'critical' => '0s' }], [{ 'warn' => 25 }, { 'stale' => '0s' }]],
  'Certlet::Service'     => [[{ 'reload' => '/bin/true' }], [{ 'restart' => '/bin/true' }, { 'unit' => '-a' }]],
}.each do |name, (good, bad)|
  describe name do
    it { is_expected.to allow_values(*good) }
    bad.each { |value| it { is_expected.not_to allow_value(value) } }
  end
end

describe 'Certlet::Credential' do
  it { is_expected.to allow_value(sensitive('x')) }
  ['x', nil].each { |value| it { is_expected.not_to allow_value(value) } }
end
