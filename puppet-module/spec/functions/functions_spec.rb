require 'spec_helper'

describe 'certlet::path' do
  it { is_expected.to run.with_params('www.example.com').and_return('/etc/certlet/live/www.example.com') }
  it { is_expected.to run.with_params('www.example.com', 'privkey').and_return('/etc/certlet/live/www.example.com/privkey.pem') }
  it { is_expected.to run.with_params('../x').and_raise_error(ArgumentError) }

  context 'where the class was told of another directory' do
    let(:facts) { DEBIAN }
    let(:pre_condition) { "class { 'certlet': agent => { 'directory' => '/srv/tls' } }" }

    it { is_expected.to run.with_params('www.example.com', 'cert').and_return('/srv/tls/live/www.example.com/cert.pem') }
  end
end

describe 'certlet::value' do
  it { is_expected.to run.with_params(true).and_return('yes') }
  it { is_expected.to run.with_params(['a', 'b']).and_return("a\n\tb") }
  it { is_expected.to run.with_params({ 'b' => 'x', 'a' => 'y' }).and_return("a:y\n\tb:x") }
  it { is_expected.to run.with_params(7).and_return('7') }
end

describe 'certlet::section' do
  it { is_expected.to run.with_params('vault', { 'b' => 1, 'a' => 2 }).and_return("[vault]\na = 2\nb = 1\n\n") }
  it { is_expected.to run.with_params('agent', {}).and_return('') }
  it { is_expected.to run.with_params('certificate x', {}).and_return("[certificate x]\n\n") }
  it { is_expected.to run.with_params('certificate x', { 'services' => [] }).and_return("[certificate x]\n\n") }
end
