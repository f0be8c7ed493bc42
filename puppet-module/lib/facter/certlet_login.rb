# Where this server's own Puppet certificate is, for `auth: cert`: packages of Puppet differ in that. Only Puppet knows.
Facter.add(:certlet_login) do
  setcode do
    { 'certificate' => Puppet[:hostcert], 'key' => Puppet[:hostprivkey] } if defined?(Puppet) && Puppet.respond_to?(:[])
  rescue StandardError
    nil
  end
end
