require 'spec_helper'

describe 'certlet' do
  on_each_system do |system, facts|
    context "on #{system}" do
      let(:facts) { facts }

      context 'with a certificate' do
        let(:params) { { vault: VAULT, certificates: { 'www.example.com' => { 'services' => ['nginx'] } } } }

        it { is_expected.to compile.with_all_deps }
        it { is_expected.to contain_certlet__certificate('www.example.com').with_services(['nginx']) }
        it { is_expected.to contain_class('certlet::install').that_comes_before('Class[certlet::config]') }
        it { is_expected.to contain_class('certlet::config').that_comes_before('Class[certlet::timer]') }
        it { is_expected.to contain_class('certlet::timer') }
        it { is_expected.to contain_class('certlet::outcome') }
        it { is_expected.to contain_package('certlet').with_ensure('installed').that_comes_before('Class[certlet::config]') }
        it { is_expected.to contain_file('/etc/certlet/manifest.ini').with_mode('0644').that_notifies('Certlet_run[certlet]') }
        it { is_expected.not_to contain_file('/etc/certlet/manifest.ini').that_notifies('Service[certlet.timer]') }
        it { is_expected.not_to contain_file('/etc/certlet/manifest.ini').that_notifies('Exec[certlet: systemctl daemon-reload]') }
        it { is_expected.to contain_file('/etc/certlet/manifest.ini').with_validate_cmd('/usr/sbin/certlet --test --manifest %') }
        it { is_expected.to contain_service('certlet.timer').with(ensure: 'running', enable: true) }
        it { is_expected.to contain_certlet_run('certlet').that_notifies('Class[certlet::outcome]') }
        it { is_expected.to contain_certlet_outcome('certlet') }
        it { is_expected.to contain_exec('certlet: systemctl daemon-reload').with_refreshonly(true).that_comes_before('Service[certlet.timer]') }
        it { is_expected.to contain_exec('certlet: leave out the run after the boot').that_notifies('Exec[certlet: systemctl daemon-reload]') }
        it { is_expected.to contain_file('/etc/systemd/system/certlet.timer.d/puppet.conf').with_content(%r{^OnUnitActiveSec=15min$}) }
        it { is_expected.to contain_file('/etc/systemd/system/certlet.timer.d/boot.conf').with_content(%r{^OnBootSec=\nOnBootSec=1min$}) }
        it { is_expected.to contain_file('/etc/systemd/system/certlet.timer.d').with_ensure('directory') }
        it { is_expected.to contain_file('/etc/certlet').with_ensure('directory') }
      end

      context 'with none' do
        let(:params) { { vault: VAULT, certificates: {} } }
        let(:gone) { (facts['os']['family'] == 'Debian') ? 'purged' : 'absent' }

        it { is_expected.to compile.with_all_deps }
        it { is_expected.to contain_service('certlet.timer').with(ensure: 'stopped', enable: false).that_requires('Class[certlet::config]') }
        it { is_expected.to contain_file('/run/systemd/system/certlet.timer.d').with_ensure('absent') }
        it { is_expected.to contain_certlet_installation('/etc/certlet/manifest.ini').with_ensure('absent').that_comes_before('File[/etc/certlet]') }
        it { is_expected.to contain_file('/etc/certlet').with_ensure('absent').that_comes_before('Class[certlet::install]') }
        it { is_expected.to contain_package('certlet').with_ensure(gone).that_comes_before('User[certlet]') }
        it { is_expected.to contain_exec('certlet: systemctl reset-failed').that_requires('Package[certlet]') }
        it { is_expected.to contain_user('certlet').with_ensure('absent') }
        it { is_expected.to contain_group('certlet').with_ensure('absent') }
        it { is_expected.not_to contain_certlet_run('certlet') }
      end
    end
  end

  context 'on any of them' do
    let(:facts) { DEBIAN }

    context 'without certificates' do
      let(:params) { { vault: VAULT } }

      it { is_expected.to compile.with_all_deps }
      it { is_expected.not_to contain_package('certlet') }
      it { is_expected.not_to contain_file('/etc/certlet') }
    end

    context 'of a family that nothing is known of' do
      let(:facts) { facts_of('SLES', 'Suse', '15') }

      [nil, {}, { 'a.example' => {} }].each do |certificates|
        context "with #{certificates.inspect}" do
          let(:params) { { vault: VAULT, certificates: certificates }.compact }

          it { is_expected.to compile.with_all_deps }
        end
      end
    end

    context 'with something ordered behind it, when it goes' do
      let(:pre_condition) { "notify { 'behind': require => Class['certlet'] }" }
      let(:params) { { certificates: {} } }

      it { is_expected.not_to contain_certlet_installation('/etc/certlet/manifest.ini').that_comes_before('Notify[behind]') }
    end

    context 'with credentials elsewhere, when it goes' do
      let(:files) { { 'role_id_file' => '/srv/role', 'secret_id_file' => '/srv/secret', 'wrapped_secret_id_file' => '/srv/wrapped' } }
      let(:params) { { certificates: {}, vault: files, secret_id: sensitive('x') } }

      it { is_expected.to contain_file('/srv/secret').with_ensure('absent').that_requires('Certlet_installation[/etc/certlet/manifest.ini]') }
      it { is_expected.to contain_file('/srv/secret').without_force } # by a mistake it may be a directory of others
      it { is_expected.to contain_file('/etc/certlet').with_force(true) }
      it { is_expected.not_to contain_file('/srv/role') }
      it { is_expected.not_to contain_file('/srv/wrapped') }
    end

    context 'without certificates, and absent' do
      let(:params) { { ensure: 'absent' } }

      it { is_expected.to contain_package('certlet').with_ensure('purged') }
    end

    context 'when every certificate is absent' do
      let(:params) { { vault: VAULT, certificates: { 'www.example.com' => { 'ensure' => 'absent' } } } }

      it { is_expected.to contain_package('certlet').with_ensure('purged') }
    end

    context 'with AppRole' do
      let(:params) { { vault: VAULT, certificates: { 'a.example' => {} }, role_id: 'role', secret_id: sensitive('a-secret') } }

      it { is_expected.to contain_certlet__certificate('a.example') }
      it { is_expected.to contain_file('/etc/certlet/role-id').with_content('role') }
      it { is_expected.to contain_file('/etc/certlet/secret-id').with(content: sensitive('a-secret'), mode: '0600', show_diff: false) }
      it { is_expected.to contain_file('/etc/certlet/secret-id').that_comes_before('File[/etc/certlet/manifest.ini]') }
    end

    context 'with a plain secret-id' do
      let(:params) { { vault: VAULT, certificates: { 'a.example' => {} }, secret_id: 'a-secret' } }

      it { is_expected.to compile.and_raise_error(%r{secret_id}) }
    end

    context "with the node's own certificate" do
      let(:params) { { vault: VAULT.merge('auth' => 'cert'), certificates: { 'a.example' => {} } } }

      it { is_expected.to contain_file('/etc/certlet/manifest.ini').with_content(%r{^client_key_file = /ssl/private_keys/node.pem$}) }
    end

    context 'with half of another certificate' do
      let(:params) { { vault: VAULT.merge('auth' => 'cert', 'client_cert_file' => '/srv/cert.pem'), certificates: { 'a.example' => {} } } }

      it 'does not take the key of another for it' do
        is_expected.to compile.and_raise_error(%r{certlet::vault: client_key_file: missing})
      end
    end

    context "with the node's own certificate, of which no fact is known" do
      let(:node) { 'web1.example.com' }
      let(:facts) { DEBIAN.reject { |name, _| name.start_with?('certlet') } }
      let(:params) { { vault: VAULT.merge('auth' => 'cert'), certificates: { 'a.example' => {} } } }

      it 'takes it to be where the server has its own' do
        is_expected.to contain_file('/etc/certlet/manifest.ini').with_content(%r{^client_cert_file = /\S+/certs/web1.example.com.pem\nclient_key_file = /\S+/private_keys/web1.example.com.pem$})
      end
    end

    context 'with a package of its own' do
      let(:params) { { vault: VAULT, certificates: { 'a.example' => {} }, package_source: '/root/certlet.deb' } }

      it { is_expected.to contain_package('certlet').with(source: '/root/certlet.deb', provider: 'dpkg') }
    end

    context 'without the package' do
      let(:params) { { vault: VAULT, certificates: { 'a.example' => {} }, manage_package: false } }

      it { is_expected.not_to contain_package('certlet') }
    end
  end
end
