require 'json'

Puppet::Type.type(:certlet_installation).provide(:agent) do
  desc 'Asks the agent; where it is gone already, removes what its record says it made.'

  def exists?
    traces.any? { |path| trace?(path) }
  end

  def destroy
    if File.executable?(resource[:program])
      purge
    else
      outputs.each { |output| FileUtils.rm_f(output['path']) if ours?(output) }
    end
    FileUtils.rm_r(traces.select { |path| trace?(path) }, secure: true)
  end

  private

  def trace?(path)
    File.exist?(path) || File.symlink?(path)
  end

  def traces
    ['live', 'archive'].map { |name| File.join(resource[:directory], name) } +
      [resource[:state_directory], resource[:run_directory]]
  end

  def purge
    command = [resource[:program], '--manifest', resource[:name], '--purge']
    command << '--force' if resource.force?
    output = Puppet::Util::Execution.execute(command, failonfail: false, combine: true)
    output.each_line(chomp: true) { |line| resource.send(output.exitstatus.zero? ? :notice : :err, line) }
    return if output.exitstatus.zero?

    raise Puppet::Error, "certlet --purge ended with #{output.exitstatus}: the agent stays until it can remove all"
  end

  # Files and links outside of the directory; the agent keeps them in its record before it makes them.
  def outputs
    state = JSON.parse(File.read(File.join(resource[:state_directory], 'state.json')))
    state['certificates'].flat_map { |certificate| certificate['outputs'] }
  rescue Errno::ENOENT
    []
  rescue SystemCallError, JSON::ParserError, NoMethodError => e
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
