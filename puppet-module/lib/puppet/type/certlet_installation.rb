require 'puppet/parameter/boolean'

Puppet::Type.newtype(:certlet_installation) do
  @doc = <<-TEXT
    @api private

    All that the agent of one manifest ever made: certificates, outputs, state. It can only be absent: the agent makes it.
  TEXT

  newproperty(:ensure) do
    desc 'absent: removed by `certlet --purge`, or by its record when the agent itself is gone already.'
    newvalue(:absent) { provider.destroy }
    newvalue(:present) { raise Puppet::Error, 'only the agent makes an installation' }

    def retrieve
      provider.exists? ? :present : :absent
    end

    def change_to_s(_is, _should)
      'removed'
    end
  end

  newparam(:manifest, namevar: true) do
    desc 'The manifest of the agent.'
  end

  newparam(:directory) do
    desc 'Where it keeps the certificates.'
    defaultto '/etc/certlet'
  end

  newparam(:state_directory) do
    desc 'Where it remembers what it made.'
    defaultto '/var/lib/certlet'
  end

  newparam(:run_directory) do
    desc 'Where its lock and its token are.'
    defaultto '/run/certlet'
  end

  newparam(:metrics_file) do
    desc 'Where it writes its metrics, if anywhere.'
  end

  newparam(:force, boolean: true, parent: Puppet::Parameter::Boolean) do
    desc 'Also what a service still uses.'
    defaultto false
  end

  newparam(:units, array_matching: :all) do
    desc 'What starts the agent, to be stopped once it could remove all.'
    defaultto { [] }
  end

  newparam(:program) do
    desc 'The agent.'
    defaultto '/usr/sbin/certlet'
  end
end
