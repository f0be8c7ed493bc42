require 'json'

Puppet::Type.type(:certlet_installation).provide(:agent) do
  desc 'Asks the agent; where it is gone already, removes what its record says it made. What is not its own is left.'

  def exists?
    (program? && File.exist?(resource[:name])) || own.any? || directories.any? { |path| Dir.empty?(path) }
  end

  def destroy
    purge if program?
    # Of an agent that is lost, or whose manifest is, so that it looked elsewhere.
    outputs.each { |output| FileUtils.rm_f(output['path']) if ours?(output) }
    FileUtils.rm_r(own, secure: true)
    directories.each { |path| remove_empty(path) }
  end

  private

  def program?
    File.executable?(resource[:program])
  end

  def purge
    command = [resource[:program], '--manifest', resource[:name], '--purge']
    command << '--force' if resource.force?
    output = Puppet::Util::Execution.execute(command, failonfail: false, combine: true)
    output.each_line(chomp: true) { |line| resource.send(output.exitstatus.zero? ? :notice : :err, line) }
    return if output.exitstatus.zero?

    raise Puppet::Error, "certlet --purge ended with #{output.exitstatus}: the agent stays until it can remove all"
  end

  # Any of these may be a directory of others as well: by its names alone nothing is removed.
  def own
    links = children('live').select { |path| File.symlink?(path) && File.readlink(path).start_with?('../archive/') }
    archives = children('archive').select { |path| archive?(path) }
    files = ['state.json', 'status.json'].map { |name| [:state_directory, name] } + ['lock', 'token'].map { |name| [:run_directory, name] }
    files = files.flat_map { |directory, name| [name, ".#{name}.certlet"].map { |one| File.join(resource[directory], one) } }
    links + archives + files.select { |path| File.file?(path) }
  end

  # That of a certificate, whose generations are numbers.
  def archive?(path)
    File.directory?(path) && !File.symlink?(path) && Dir.children(path).all? { |name| name.match?(%r{\A\d+\z}) && File.directory?("#{path}/#{name}") }
  end

  def children(part)
    path = File.join(resource[:directory], part)
    File.directory?(path) ? Dir.children(path).map { |name| File.join(path, name) } : []
  end

  def directories
    ['live', 'archive'].map { |part| File.join(resource[:directory], part) }.push(resource[:state_directory], resource[:run_directory])
                       .select { |path| File.directory?(path) && !File.symlink?(path) }
  end

  def remove_empty(path)
    Dir.rmdir(path)
  rescue Errno::ENOTEMPTY, Errno::EBUSY => e
    resource.warning("#{path} is left: #{e.message}")
  end

  # Files and links outside of the directory; the agent keeps them in its record before it makes them.
  def outputs
    state = JSON.parse(File.read(File.join(resource[:state_directory], 'state.json')))
    state.fetch('certificates', []).flat_map { |certificate| certificate.fetch('outputs', []) }
  rescue Errno::ENOENT
    []
  rescue SystemCallError, JSON::ParserError, NoMethodError, TypeError, KeyError => e
    raise Puppet::Error, "the record of what certlet made cannot be read; install the package again: #{e.message}"
  end

  # Not what somebody put there in the meantime.
  def ours?(output)
    found = File.lstat(output['path'])
    if output['copy']
      found.file? && found.dev == output['device'] && found.ino == output['inode']
    else
      found.symlink? && File.readlink(output['path']).start_with?("#{resource[:directory]}/live/")
    end
  rescue Errno::ENOENT
    false
  end
end
