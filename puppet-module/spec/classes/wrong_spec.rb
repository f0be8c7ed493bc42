require 'spec_helper'

describe 'certlet' do
  let(:facts) { DEBIAN }

  {
    'an unknown key'              => [{ 'www.example.com' => { 'grup' => 'x' } }, %r{certificates.*www\.example\.com.*unrecognized key 'grup'}m],
    'a relative path'             => [{ 'www.example.com' => { 'key_path' => 'tls/key.pem' } }, %r{certificates.*key_path}m],
    'a key that others may read'  => [{ 'www.example.com' => { 'key_mode' => '0644' } }, %r{certificates.*key_mode}m],
    'a name with a leading dash'  => [{ '--www.example.com' => {} }, %r{certificates}],
    'a newline'                   => [{ 'www.example.com' => { 'group' => "root\n[end]" } }, %r{certificates.*group}m],
    'an unknown service'          => [{ 'www.example.com' => { 'services' => ['gateway'] } },
                                      %r{certlet::certificates: www\.example\.com: services: gateway is neither}],
    'two certificates on a path'  => [{ 'a.example' => { 'key_path' => '/srv/k' }, 'b.example' => { 'cert_path' => '/srv/k' } },
                                      %r{certlet::certificates: b\.example: cert_path: /srv/k.*a\.example: key_path}],
    'a path below another'        => [{ 'a.example' => { 'key_path' => '/srv/k' }, 'b.example' => { 'cert_path' => '/srv/k/c' } }, %r{cert_path: /srv/k/c}],
    "a path in certlet's own"     => [{ 'a.example' => { 'key_path' => '/etc/certlet/live/k' } }, %r{certlet's own directory}],
    'a name that is no host name' => [{ 'backup_key' => {} }, %r{certlet::certificates: backup_key: names: missing}],
  }.each do |what, (certificates, message)|
    context "with #{what}" do
      let(:params) { { vault: VAULT, certificates: certificates } }

      it { is_expected.to compile.and_raise_error(message) }
    end
  end

  context 'with a certificate of a module that is wrong' do
    let(:pre_condition) { "certlet::certificate { 'mail.example': services => ['gateway'] }" }
    let(:params) { { vault: VAULT, certificates: { 'a.example' => {} } } }

    it { is_expected.to compile.and_raise_error(%r{Certlet::Certificate\[mail\.example\]: services: gateway is neither}) }
  end

  context 'with a timer that never waits' do
    let(:params) { { vault: VAULT, certificates: { 'a.example' => {} }, interval: '0s' } }

    it { is_expected.to compile.and_raise_error(%r{certlet::interval: 0s: is less than 1min}) }
  end

  { 'role_id' => " \n", 'secret_id' => RSpec::Puppet::Sensitive.new(" \n"), 'a Sensitive role_id' => RSpec::Puppet::Sensitive.new(' ') }.each do |what, secret|
    context "with #{what} that is empty" do
      let(:key) { what.split.last }
      let(:params) { { vault: VAULT, certificates: { 'a.example' => {} }, key.to_sym => secret } }

      it { is_expected.to compile.and_raise_error(%r{certlet::#{key}: is empty}) }
    end
  end

  ['absent', 'purged', 'held', '-x'].each do |ensured|
    context "with a package that is to be #{ensured} beside its manifest" do
      let(:params) { { vault: VAULT, certificates: { 'a.example' => {} }, package_ensure: ensured } }

      it { is_expected.to compile.and_raise_error(%r{package_ensure}) }
    end
  end

  context 'without an address' do
    let(:params) { { certificates: { 'a.example' => {} } } }

    it { is_expected.to compile.and_raise_error(%r{certlet::vault: address: missing}) }
  end

  context 'with http over the network' do
    let(:params) { { vault: { 'address' => 'http://vault.example.com:8200' }, certificates: { 'a.example' => {} } } }

    it { is_expected.to compile.and_raise_error(%r{vault.*address}m) }
  end
end
