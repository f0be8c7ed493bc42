require 'spec_helper'

describe 'certlet' do
  around { |example| Dir.mktmpdir { |directory| @directory = directory and example.run } }

  let(:node) { 'web1.example.com' }
  let(:params) { { vault: VAULT, wrapped_secret_id: true, certificates: { 'a.example' => {} } } }
  let(:body) { '{"wrap_info": {"token": "hvs.wrapped"}}' }
  let(:answer) { Net::HTTPOK.new('1.1', '200', 'OK').tap { |ok| allow(ok).to receive(:body).and_return(body) } }
  let(:asked) { [] }

  before do
    File.write("#{@directory}/token", "the server's\n")
    File.write("#{@directory}/certlet.yaml", JSON.generate('address' => 'https://vault.example.com:8200/', 'token_file' => "#{@directory}/token"))
    allow(Puppet).to receive(:[]).and_call_original
    allow(Puppet).to receive(:[]).with(:confdir).and_return(@directory)
    allow_any_instance_of(Net::HTTP).to receive(:request) { |_, request| asked << request and answer }
  end

  def with_credentials(state)
    DEBIAN.merge('certlet' => { 'credentials' => state })
  end

  ['missing', 'expiring', 'refused', nil].each do |state|
    context "when the fact says #{state || 'nothing'}" do
      let(:facts) { with_credentials(state) }

      it 'asks for a wrapped secret-id of the very node, and writes it' do
        is_expected.to contain_file('/etc/certlet/wrapped-secret-id').with(content: sensitive('hvs.wrapped'), mode: '0600', show_diff: false)
        expect(asked.map { |one| [one.uri.to_s, one['X-Vault-Token'], one['X-Vault-Wrap-TTL']] })
          .to eq([['https://vault.example.com:8200/v1/auth/approle/role/web1.example.com/secret-id', "the server's", '300']])
      end
    end
  end

  ['ok', 'unknown'].each do |state|
    context "when the fact says #{state}" do
      let(:facts) { with_credentials(state) }

      it 'asks for none, and leaves the file' do
        is_expected.not_to contain_file('/etc/certlet/wrapped-secret-id')
        expect(asked).to be_empty
      end
    end
  end

  { 'is away' => Errno::ECONNREFUSED, 'is slow' => Net::OpenTimeout, 'is not who it should be' => OpenSSL::SSL::SSLError,
    'refuses' => nil }.each do |what, error|
    context "when Vault #{what}" do
      # rspec-puppet keeps catalogs by their facts: each is another.
      let(:facts) { with_credentials('refused').merge('vault' => what) }
      let(:answer) { error ? raise(error) : Net::HTTPForbidden.new('1.1', '403', 'Forbidden') }

      it { is_expected.to compile.with_all_deps }
      it { is_expected.not_to contain_file('/etc/certlet/wrapped-secret-id') }
    end
  end

  {
    'an answer that is not wrapped'  => ['body', '{"wrap_info": null, "data": {"secret_id": "in-clear"}}'],
    'an answer of another kind'      => ['body', '{"wrap_info": "in-clear"}'],
    'an answer that is cut short'    => ['body', '{"wrap_info": {"token": "in-clear'],
    'a certlet.yaml that is none'    => ['yaml', 'address: ['],
    'a certlet.yaml that is empty'   => ['yaml', ''],
    'an address that is none'        => ['yaml', 'address: "https://v v"'],
    'a token_file that is missing'   => ['yaml', '{address: "https://v", token_file: /dev/null/token}'],
  }.each do |what, (kind, text)|
    context "with #{what}" do
      let(:facts) { with_credentials('refused').merge('vault' => what) }
      let(:body) { kind == 'body' ? text : super() }

      before { File.write("#{@directory}/certlet.yaml", text) if kind == 'yaml' }

      it 'compiles without one, and tells why and no secret' do
        told = []
        allow(Puppet).to receive(:warning) { |text| told << text }
        is_expected.to compile.with_all_deps
        is_expected.not_to contain_file('/etc/certlet/wrapped-secret-id')
        expect(told.join).to match(%r{certlet::wrapped_secret_id: none for web1.example.com: \S})
        expect(told.join).not_to include('in-clear')
      end
    end
  end

  context 'with another secret-id, too' do
    let(:facts) { with_credentials('ok') }
    let(:params) { super().merge(secret_id: sensitive('x')) }

    it { is_expected.to compile.and_raise_error(%r{certlet::secret_id: certlet::wrapped_secret_id stands for it}) }
  end

  context 'with another way to log in' do
    let(:facts) { with_credentials('ok') }
    let(:params) { super().merge(vault: VAULT.merge('auth' => 'cert')) }

    it { is_expected.to compile.and_raise_error(%r{certlet::wrapped_secret_id: is for auth: approle}) }
  end
end
