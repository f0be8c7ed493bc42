require 'spec_helper'

describe 'certlet' do
  Dir.glob("#{MODULE}/examples/*.pp").sort.each do |path|
    context "as in examples/#{File.basename(path)}" do
      let(:facts) { DEBIAN }
      let(:pre_condition) { File.read(path) }

      it { is_expected.to compile.with_all_deps }
      it { is_expected.to contain_file('/etc/certlet/manifest.ini').with_content(%r{^\[certificate }) }
    end
  end
end
