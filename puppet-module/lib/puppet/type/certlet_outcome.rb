Puppet::Type.newtype(:certlet_outcome) do
  @doc = <<-TEXT
    @api private

    Fails when the `certlet_run` of the same name did. Nothing is ordered behind it.
  TEXT

  newparam(:name, namevar: true) do
    desc 'The name of the run.'
  end

  def refresh
    code = catalog.resource(:certlet_run, self[:name]).failed_with
    raise Puppet::Error, "certlet --sync ended with #{code}; its lines are above, certlet(8) explains them" if code
  end
end
