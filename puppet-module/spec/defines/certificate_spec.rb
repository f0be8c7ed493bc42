require 'spec_helper'

describe 'certlet::certificate' do
  let(:facts) { DEBIAN }
  let(:title) { 'shop.example.com' }
  let(:written) { catalogue.resource('file', '/etc/certlet/manifest.ini')[:content] }
  let(:before) { "class { 'certlet': vault => { 'address' => 'https://vault.example.com:8200' } }" }

  context 'with the class' do
    let(:pre_condition) { before }
    let(:params) { { names: ['shop.example.com', '*.shop.example.com'], fields: { 'key' => 'k', 'cert' => 'c' }, combined: true, kv_version: 2 } }

    it 'ends in the manifest' do
      expect(written).to include("[certificate shop.example.com]\ncombined = yes\nfields = cert:c\n\tkey:k\nkv_version = 2\n" \
                                  "names = shop.example.com\n\t*.shop.example.com\n\n")
    end

    it('is closed by the last line') { expect(written).to end_with("\n[end]\n") }
  end

  context 'nested in defined types, and behind one of Hiera' do
    let(:pre_condition) do
      <<-PUPPET
        define inner() { certlet::certificate { "in.${title}": } }
        define outer() { inner { $title: } }
        outer { 'a.example': }
        class { 'certlet':
          vault => { 'address' => 'https://vault.example.com:8200' }, certificates => { 'z.example' => {}, 'b.example' => {} },
        }
        outer { 'x.example': }
        notify { 'behind': require => Class['certlet'] }
      PUPPET
    end

    it 'ends in the one manifest, sorted' do
      expect(written.scan(%r{^\[certificate (\S+)\]}).flatten).to eq(['b.example', 'in.a.example', 'in.x.example', 'shop.example.com', 'z.example'])
    end

    it { is_expected.to contain_certlet__whole('certlet').that_comes_before('Notify[behind]') }
    (1..4).each { |rounds| it { is_expected.to contain_certlet__whole("certlet#{', later' * rounds}") } }
    it { is_expected.to contain_file('/etc/certlet/manifest.ini').that_comes_before('Notify[behind]') }
    ['in.a.example', 'in.x.example', 'b.example', 'z.example'].each do |name|
      it { is_expected.to contain_certlet__certificate(name) }
    end

    it 'is read by the agent' do
      certlet = ENV.fetch('CERTLET') { raise 'CERTLET is to name the agent, as built' }
      Dir.mktmpdir do |directory|
        File.write("#{directory}/manifest.ini", written)
        expect(system(certlet, '--test', '--manifest', "#{directory}/manifest.ini", out: File::NULL)).to be(true)
      end
    end
  end

  context 'that something waits for' do
    let(:pre_condition) do
      <<-PUPPET
        class base { contain certlet }
        class www { notify { 'behind': require => Certlet::Certificate['shop.example.com'] } }
        class { 'certlet': vault => { 'address' => 'https://vault.example.com:8200' }, certificates => { 'a.example' => {} } }
        include base, www
        notify { 'behind that of Hiera': require => Certlet::Certificate['a.example'] }
        Class['base'] -> Class['www']
      PUPPET
    end

    it { is_expected.to compile.with_all_deps }
    it { is_expected.to contain_certlet_run('certlet').that_comes_before('Certlet::Certificate[shop.example.com]') }
    ['behind', 'behind that of Hiera'].each { |title| it { is_expected.to contain_certlet_run('certlet').that_comes_before("Notify[#{title}]") } }
  end

  # A class ends with what it holds: behind the run, as its certificate.
  context 'in a class that has what the certificate needs' do
    let(:app) do
      <<-PUPPET
        class app {
          include certlet
          user { 'app': }
          file { '/srv/tls': ensure => directory }
          certlet::certificate { 'a.example': owner => 'app', cert_path => '/srv/tls/cert.pem' }
          notify { 'behind': require => Certlet::Certificate['a.example'] }
        }
        #{before}
        include app
      PUPPET
    end

    context 'and has each come before the class' do
      let(:pre_condition) { "#{app}\nUser['app'] -> Class['certlet']\nFile['/srv/tls'] -> Class['certlet']" }

      it { is_expected.to compile.with_all_deps }
      it { is_expected.to contain_user('app').that_comes_before('Certlet_run[certlet]') }
      it { is_expected.to contain_file('/srv/tls').that_comes_before('Certlet_run[certlet]') }
      it { is_expected.to contain_certlet_run('certlet').that_comes_before('Notify[behind]') }
    end

    { 'the whole class' => "Class['app']", 'the certificate' => "Certlet::Certificate['a.example']" }.each do |what, reference|
      context "and has #{what} come before" do
        let(:pre_condition) { "#{app}\n#{reference} -> Class['certlet']" }

        it { expect { is_expected.to compile }.to raise_error(RSpec::Expectations::ExpectationNotMetError, %r{dependency cycles found}) }
      end
    end
  end

  context 'that a collector realizes at the very last' do
    let(:pre_condition) do
      <<-PUPPET
        define virtual() { @certlet::certificate { "virtual.${title}": } }
        define realizer() { Certlet::Certificate <| title == 'virtual.a.example' |> }
        virtual { 'a.example': }
        realizer { 'x': }
        class { 'certlet': vault => { 'address' => 'https://vault.example.com:8200' }, certificates => {} }
      PUPPET
    end
    let(:params) { { ensure: 'absent' } }

    it('ends in the manifest') { expect(written).to include("[certificate virtual.a.example]\n") }
  end

  context 'without the class' do
    it { is_expected.to compile.and_raise_error(%r{include certlet as well}) }
  end

  ['-shop.example.com', 'shop/example', 'shop.'].each do |wrong|
    context "of the name #{wrong}, present or absent" do
      let(:title) { wrong }
      let(:pre_condition) { before }

      ['present', 'absent'].each do |ensured|
        context ensured do
          let(:params) { { ensure: ensured } }

          it { is_expected.to compile.and_raise_error(%r{Certlet::Certificate\[#{wrong}\]: is no name of a certificate}) }
        end
      end
    end
  end

  context 'that is absent' do
    let(:params) { { ensure: 'absent' } }

    context 'and no other is listed' do
      let(:pre_condition) { "class { 'certlet': certificates => {} }" }

      it { is_expected.to contain_package('certlet').with_ensure('purged') }
    end

    context 'and Hiera says nothing of others' do
      let(:pre_condition) { before }

      it { is_expected.to compile.with_all_deps }
      it { is_expected.not_to contain_package('certlet') }
    end
  end
end
