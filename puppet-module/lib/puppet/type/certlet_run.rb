Puppet::Type.newtype(:certlet_run) do
  @doc = <<-TEXT
    @api private

    Runs the agent once when something that it reads has changed. Its lines are in the report; how it ended is told by
    `certlet_outcome`, so that what is ordered behind this one is done in any case.
  TEXT

  newparam(:name, namevar: true) do
    desc 'Any.'
  end

  newparam(:program) do
    desc 'The agent.'
    defaultto '/usr/sbin/certlet'
  end

  # 4: another run holds the lock, and reads what changed as well.
  GOOD_EXITS = [0, 4].freeze

  # The exit code of the run, when it was none of a good one.
  attr_reader :failed_with

  def refresh
    output = Puppet::Util::Execution.execute([self[:program], '--sync'], failonfail: false, combine: true)
    @failed_with = output.exitstatus unless GOOD_EXITS.include?(output.exitstatus)
    output.each_line(chomp: true) { |line| @failed_with ? err(line) : notice(line) }
  end
end
