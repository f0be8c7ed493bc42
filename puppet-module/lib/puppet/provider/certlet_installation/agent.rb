require 'json'
require 'tempfile'

Puppet::Type.type(:certlet_installation).provide(:agent) do
  desc 'Asks the agent; where it is gone already, removes what its record says it made. What is not its own is left.'

  def exists?
    (program? && File.exist?(resource[:name])) || own.any? || metrics(resource[:metrics_file]).any? || directories.any? { |path| Dir.empty?(path) }
  end

  def destroy
    if program?
      purge
      stop_units
      # A run that began in between brought back what was removed.
      purge if File.exist?(state)
    end
    # Of an agent that is lost, or whose manifest is, so that it looked elsewhere.
    recorded.each { |name, outputs| outputs.each { |output| FileUtils.rm_f(output['path']) if ours?(name, output) } }
    FileUtils.rm(metrics(resource[:metrics_file], *record.fetch('metrics_files', [])) + adopted)
    FileUtils.rm_r(own, secure: true)
    directories.each { |path| remove_empty(path) }
  end

  private

  def program?
    File.executable?(resource[:program])
  end

  # Of the manifest the agent reads here where everything is, and a damaged one would hold up the removal for ever: the class
  # knows it as well.
  def purge
    return purge_by(resource[:name]) if agent('--test', '--manifest', resource[:name]).exitstatus.zero?

    resource.warning("#{resource[:name]} is lost or damaged: removed is what is in #{places.values.join(', ')}")
    Tempfile.create('certlet') do |file|
      file.write(substitute)
      file.close
      purge_by(file.path)
    end
  end

  def places
    [:directory, :state_directory, :run_directory].to_h { |key| [key, resource[key]] }
  end

  # A manifest needs an address; nothing is asked of it.
  def substitute
    "[vault]\naddress = https://localhost\n[agent]\n#{places.map { |key, path| "#{key} = #{path}\n" }.join}[end]\n"
  end

  def purge_by(manifest)
    output = agent('--manifest', manifest, '--purge', *(['--force'] if resource.force?))
    output.each_line(chomp: true) { |line| resource.send(output.exitstatus.zero? ? :notice : :err, line) }
    return if output.exitstatus.zero?

    strike_removed if output.exitstatus == 2 && manifest == resource[:name]
    raise Puppet::Error, "certlet --purge ended with #{output.exitstatus}: the agent stays until it can remove all"
  end

  # The timer goes on, and its runs would bring back what is no longer in use.
  def strike_removed
    left = recorded.keys
    return if left.empty?

    sections = File.read(resource[:name]).split(%r{^(?=\[)})
    kept = sections.reject { |section| section[%r{\A\[certificate (\S+)\]}, 1]&.then { |name| !left.include?(name) } }
    Puppet::Util.replace_file(resource[:name], 0o644) { |file| file.write(kept.join) } unless kept == sections
  end

  def agent(*arguments)
    execute([resource[:program], *arguments])
  end

  def execute(command)
    Puppet::Util::Execution.execute(command, failonfail: false, combine: true)
  end

  # Not before: as long as a service uses a certificate, it has to be renewed.
  def stop_units
    execute(['systemctl', 'stop', *resource[:units]]) unless resource[:units].empty?
  end

  # Any of these may be a directory of others as well: by its names alone nothing is removed.
  def own
    links = children('live').select { |path| File.symlink?(path) && File.readlink(path).start_with?('../archive/') }
    archives = children('archive').select { |path| archive?(path) }
    files = ['state.json', 'status.json'].map { |name| [:state_directory, name] } + ['lock', 'token'].map { |name| [:run_directory, name] }
    links + archives + with_leftovers(files.map { |directory, name| File.join(resource[directory], name) })
  end

  # What there is of these, and of what a run that was cut short left beside them: files, and such a leftover belongs to whoever
  # runs the agent.
  def with_leftovers(paths)
    leftovers = paths.map { |path| File.join(File.dirname(path), ".#{File.basename(path)}.certlet") }
    paths.select { |path| file_at(path) } + leftovers.select { |path| file_at(path)&.uid == Process.euid }
  end

  # No link, wherever it leads to: the agent makes none of these.
  def file_at(path)
    found = File.lstat(path)
    found if found.file?
  rescue Errno::ENOENT, Errno::ENOTDIR
    nil
  end

  # They are in a directory of others, who may have put something there of that name: the agent's begins with a line of its own.
  def metrics(*paths)
    known = paths.compact.uniq
    line = "# Written by certlet --sync, anew at each run; certlet --purge removes it.\n"
    with_leftovers(known).reject { |path| known.include?(path) && File.binread(path, line.bytesize) != line }
  end

  # What stood where it installed something.
  def adopted
    with_leftovers(record.fetch('adopted', []).map { |one| File.join(adopted_directory, File.basename(one.fetch('kept'))) })
  end

  def adopted_directory
    File.join(resource[:state_directory], 'adopted')
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
    ['live', 'archive'].map { |part| File.join(resource[:directory], part) }
                       .push(adopted_directory, resource[:state_directory], resource[:run_directory])
                       .select { |path| File.directory?(path) && !File.symlink?(path) }
  end

  def remove_empty(path)
    Dir.rmdir(path)
  rescue Errno::ENOTEMPTY, Errno::EBUSY => e
    resource.warning("#{path} is left: #{e.message}")
  end

  def state
    File.join(resource[:state_directory], 'state.json')
  end

  # Written by the agent before it makes anything; what there is none of is left out.
  def record
    File.exist?(state) ? JSON.parse(File.read(state)) : {}
  end

  # By certificate, its files and links outside of the directory.
  def recorded
    record.fetch('certificates', []).to_h { |one| [one.fetch('name'), one.fetch('outputs', []).each { |output| output.fetch('path') }] }
  rescue SystemCallError, JSON::ParserError, NoMethodError, TypeError, KeyError => e
    raise Puppet::Error, "the record of what certlet made cannot be read; install the package again: #{e.message}"
  end

  # Not what somebody put there in the meantime.
  def ours?(name, output)
    found = File.lstat(output['path'])
    return found.file? && (recorded?(output, found) || archived?(name, output)) if output['copy']

    found.symlink? && File.readlink(output['path']).start_with?("#{resource[:directory]}/live/")
  rescue Errno::ENOENT
    false
  end

  # With the moment of its birth: a file of others may have got the inode of one that was removed.
  def recorded?(output, found)
    [found.dev, found.ino, born(output['path'])] == ['device', 'inode', 'born'].map { |key| output.fetch(key, 0) }
  end

  # In nanoseconds; 0 where it is not known, as in the record.
  def born(path)
    (File.birthtime(path).to_r * 1_000_000_000).to_i
  rescue NotImplementedError
    0
  end

  # One that came back from a backup is told by what it holds.
  def archived?(name, output)
    Dir.glob("*/#{output['part']}", base: File.join(resource[:directory], 'archive', name))
       .any? { |one| FileUtils.identical?(File.join(resource[:directory], 'archive', name, one), output['path']) }
  end
end
