require 'spec_helper'
require 'open3'
require 'puppet'
$LOAD_PATH.unshift(File.join(MODULE, 'lib'))
require 'puppet/type/certlet_installation'

describe Puppet::Type.type(:certlet_installation).provider(:agent) do
  around { |example| Dir.mktmpdir { |directory| @directory = directory and example.run } }

  let(:program) { "#{@directory}/certlet" }
  let(:resource) do
    Puppet::Type.type(:certlet_installation).new(
      manifest: "#{@directory}/manifest.ini", ensure: :absent, directory: "#{@directory}/etc", state_directory: "#{@directory}/lib",
      run_directory: "#{@directory}/run", program: program, force: true
    )
  end
  let(:provider) { resource.provider }

  # The manifest that it was given is kept; --test says what it is worth.
  def agent_ends_with(code, damaged: false)
    executable(program, <<~SH)
      case $* in
      --test*) exit #{damaged ? 1 : 0} ;;
      --manifest*) cp "$2" #{@directory}/given 2>/dev/null ;;
      esac
      echo "certlet: $*" >>#{@directory}/called
      exit #{code}
    SH
  end

  def executable(path, script)
    File.write(path, "#!/bin/sh\n#{script}")
    File.chmod(0o755, path)
  end

  def record(path, **more)
    { 'path' => path, 'part' => 'privkey.pem', 'copy' => true, 'device' => File.lstat(path).dev, 'inode' => File.lstat(path).ino,
      'born' => (File.birthtime(path).to_r * 1_000_000_000).to_i }.merge(more.transform_keys(&:to_s))
  end

  def remembers(*outputs)
    File.write("#{@directory}/lib/state.json", JSON.generate('certificates' => [{ 'name' => 'a', 'outputs' => outputs }]))
  end

  before { ['etc/live', 'etc/archive', 'lib', 'run', 'out'].each { |path| FileUtils.mkdir_p("#{@directory}/#{path}") } }

  it 'asks the agent, and removes what is left of its directories' do
    agent_ends_with(0)
    provider.destroy
    expect(File.read("#{@directory}/called")).to eq("certlet: --manifest #{@directory}/manifest.ini --purge --force\n")
    expect(provider).not_to exist
  end

  it 'leaves everything when the agent cannot remove all' do
    agent_ends_with(2)
    expect { provider.destroy }.to raise_error(Puppet::Error, %r{ended with 2})
    expect(provider).to exist
  end

  it 'removes by its record what a lost agent made, and nothing else' do
    copy, link, foreign, other = ['copy', 'link', 'foreign', 'other'].map { |name| "#{@directory}/out/#{name}" }
    [copy, foreign].each { |path| File.write(path, 'x') }
    File.symlink("#{@directory}/etc/live/a/cert.pem", link)
    File.symlink('/etc/hostname', other)
    remembers(record(copy), record(foreign, inode: 7), { 'path' => link, 'copy' => false }, { 'path' => other, 'copy' => false })
    provider.destroy
    expect(Dir.children("#{@directory}/out").sort).to eq(['foreign', 'other'])
    expect(provider).not_to exist
  end

  it 'reads a record in which nothing is said of what there is none of' do
    ['{}', '{"certificates": [{"name": "a"}]}'].each do |text|
      File.write("#{@directory}/lib/state.json", text)
      FileUtils.mkdir_p("#{@directory}/etc/archive/a/7")
      provider.destroy
      expect(provider).not_to exist
      ['etc/live', 'etc/archive', 'lib', 'run'].each { |path| FileUtils.mkdir_p("#{@directory}/#{path}") }
    end
  end

  it 'removes the metrics of a lost agent, and what it took over, and nothing else' do
    FileUtils.mkdir_p("#{@directory}/lib/adopted")
    written = "# Written by certlet --sync, anew at each run; certlet --purge removes it.\n"
    { 'out/recorded.prom' => written, 'out/.recorded.prom.certlet' => '', 'out/set.prom' => written, 'out/theirs.prom' => '# theirs',
      'lib/adopted/1-privkey.pem' => 'a key', 'lib/adopted/theirs' => 'x' }.each { |name, text| File.write("#{@directory}/#{name}", text) }
    metrics = ['out/recorded.prom', 'out/theirs.prom', 'out/missing.prom'].map { |name| "#{@directory}/#{name}" }
    File.write("#{@directory}/lib/state.json", JSON.generate('metrics_files' => metrics, 'adopted' => [{ 'kept' => '1-privkey.pem' }, { 'kept' => '2-lost' }]))
    resource[:metrics_file] = "#{@directory}/out/set.prom"
    provider.destroy
    expect(Dir.glob("#{@directory}/{out,lib}/**/*", File::FNM_DOTMATCH).select { |path| File.file?(path) })
      .to match_array(["#{@directory}/out/theirs.prom", "#{@directory}/lib/adopted/theirs"])
    expect(provider).not_to exist
    File.write("#{@directory}/out/set.prom", written)
    expect(provider).to exist
  end

  context 'with metrics in a directory of others' do
    let(:written) { "# Written by certlet --sync, anew at each run; certlet --purge removes it.\n" }
    let(:path) { "#{@directory}/out/certlet.prom" }

    # Named by the class and by the record, as after a run.
    def destroy_with_metrics(path)
      File.write("#{@directory}/lib/state.json", JSON.generate('metrics_files' => [path]))
      resource[:metrics_file] = path
      provider.destroy
    end

    it 'leaves a link of theirs, whatever it leads to' do
      File.write("#{@directory}/out/target", written)
      File.symlink('target', path)
      destroy_with_metrics(path)
      expect(Dir.children("#{@directory}/out")).to contain_exactly('certlet.prom', 'target')
      expect(provider).not_to exist
    end

    it 'leaves a file of theirs, whatever its name ends in' do
      File.write("#{@directory}/out/certlet.txt", 'theirs')
      destroy_with_metrics("#{@directory}/out/certlet.txt")
      expect(File.read("#{@directory}/out/certlet.txt")).to eq('theirs')
      expect(provider).not_to exist
    end

    { 'that is empty' => '', 'of another program of certlet' => "# Written by certlet-publish.\n",
      'that only begins like one' => '# Written by certlet --sync, anew at each run' }.each do |what, text|
      it "leaves a file #{what}" do
        File.write(path, text)
        destroy_with_metrics(path)
        expect(File.read(path)).to eq(text)
        expect(provider).not_to exist
      end
    end

    it 'removes what a run that was cut short left, and only if that is its own' do
      leftover = "#{@directory}/out/.certlet.prom.certlet"
      File.write(leftover, written)
      allow(Process).to receive(:euid).and_return(File.lstat(leftover).uid + 1)
      destroy_with_metrics(path)
      expect(File).to exist(leftover)
      expect(provider).not_to exist
      allow(Process).to receive(:euid).and_call_original
      FileUtils.mkdir_p("#{@directory}/lib")
      destroy_with_metrics(path)
      expect(File).not_to exist(leftover)
    end

    it 'leaves a link at the name of a leftover' do
      File.write("#{@directory}/out/target", written)
      File.symlink('target', "#{@directory}/out/.certlet.prom.certlet")
      destroy_with_metrics(path)
      expect(Dir.children("#{@directory}/out")).to contain_exactly('.certlet.prom.certlet', 'target')
    end
  end

  it 'leaves a file that only got the inode of one that a lost agent made' do
    File.write("#{@directory}/out/key.pem", 'theirs')
    remembers(record("#{@directory}/out/key.pem", born: 1))
    provider.destroy
    expect(File.read("#{@directory}/out/key.pem")).to eq('theirs')
  end

  it 'knows a copy by what it holds when it came back from a backup' do
    FileUtils.mkdir_p("#{@directory}/etc/archive/a/7")
    ["#{@directory}/etc/archive/a/7/privkey.pem", "#{@directory}/out/key.pem"].each { |path| File.write(path, 'a key') }
    remembers(record("#{@directory}/out/key.pem", device: 7))
    provider.destroy
    expect(File).not_to exist("#{@directory}/out/key.pem")
  end

  it 'strikes from the manifest what is removed already while something else is held up' do
    manifest = "[vault]\naddress = https://v\n[agent]\nuser = x\n[certificate b]\nnames = a\n\t[b]\n[certificate a.b]\n[certificate a]\ngroup = b\n[end]\n"
    File.write("#{@directory}/manifest.ini", manifest)
    File.write("#{@directory}/lib/state.json", JSON.generate('certificates' => [{ 'name' => 'a' }]))
    agent_ends_with(2)
    expect { provider.destroy }.to raise_error(Puppet::Error, %r{ended with 2})
    expect(File.read("#{@directory}/manifest.ini")).to eq("[vault]\naddress = https://v\n[agent]\nuser = x\n[certificate a]\ngroup = b\n[end]\n")
    expect(File.stat("#{@directory}/manifest.ini").mode & 0o777).to eq(0o644)
  end

  { 'damaged' => true, 'lost' => false }.each do |what, there|
    it "tells the agent where everything is when its manifest is #{what}" do
      File.write("#{@directory}/manifest.ini", "[agent]\nx") if there
      agent_ends_with(2, damaged: true)
      expect { provider.destroy }.to raise_error(Puppet::Error, %r{ended with 2})
      given = File.read("#{@directory}/given")
      expect(given).to include("\ndirectory = #{@directory}/etc\nstate_directory = #{@directory}/lib\nrun_directory = #{@directory}/run\n")
      said, status = Open3.capture2e(ENV.fetch('CERTLET'), '--test', '--manifest', "#{@directory}/given")
      expect(status).to be_success, said
    end
  end

  context 'with a timer' do
    before do
      resource[:units] = ['certlet.timer', 'certlet.service']
      Dir.mkdir("#{@directory}/bin")
      executable("#{@directory}/bin/systemctl", <<~SH)
        echo "systemctl $*" >>#{@directory}/called
        echo {} >#{@directory}/lib/state.json
      SH
    end

    around do |example|
      before = ENV['PATH']
      ENV['PATH'] = "#{@directory}/bin:#{before}"
      example.run
      ENV['PATH'] = before
    end

    it 'leaves it alone as long as the agent has to stay' do
      agent_ends_with(2)
      expect { provider.destroy }.to raise_error(Puppet::Error, %r{ended with 2})
      expect(File.read("#{@directory}/called")).not_to include('systemctl')
    end

    it 'removes also what a last run of it brought back' do
      agent_ends_with(0)
      provider.destroy
      expect(File.readlines("#{@directory}/called").map { |line| line.split.values_at(0, 1) })
        .to eq([['certlet:', '--manifest'], ['systemctl', 'stop'], ['certlet:', '--manifest']])
    end
  end

  it 'leaves what others keep in the same directories' do
    agent_ends_with(0)
    foreign = ['etc/live/README', 'etc/archive/theirs/cert1.pem', 'lib/other.db', 'run/other.pid'].map { |path| "#{@directory}/#{path}" }
    FileUtils.mkdir_p("#{@directory}/etc/archive/theirs")
    foreign.each { |path| File.write(path, 'x') }
    expect(provider).not_to exist
    ['etc/archive/a/7/privkey.pem', 'lib/status.json', 'lib/.state.json.certlet', 'run/lock'].each do |path|
      FileUtils.mkdir_p(File.dirname("#{@directory}/#{path}"))
      File.write("#{@directory}/#{path}", 'x')
    end
    File.symlink('../archive/a/7', "#{@directory}/etc/live/a")
    expect(provider).to exist
    provider.destroy
    expect(Dir.glob("#{@directory}/{etc,lib,run}/**/*", File::FNM_DOTMATCH).reject { |path| File.directory?(path) }).to match_array(foreign)
    expect(provider).not_to exist
  end

  it 'asks the agent of a manifest that nothing is known of besides' do
    ['etc/live', 'etc/archive', 'etc', 'lib', 'run'].each { |path| Dir.rmdir("#{@directory}/#{path}") }
    File.write("#{@directory}/manifest.ini", "[agent]\ndirectory = /srv/tls\n[end]\n")
    agent_ends_with(0)
    expect(provider).to exist
    provider.destroy
    expect(File.read("#{@directory}/called")).to include('--purge')
  end

  it 'does nothing by a record that cannot be read' do
    File.write("#{@directory}/lib/state.json", '{')
    expect { provider.destroy }.to raise_error(Puppet::Error, %r{install the package again})
    expect(provider).to exist
  end
end
