# @summary The agent itself: the `[agent]` section of the manifest, see certlet.ini(5)
type Certlet::Agent = Struct[{
  Optional['directory']       => Certlet::Path,
  Optional['state_directory'] => Certlet::Path,
  Optional['run_directory']   => Certlet::Path,
  Optional['user']            => Certlet::Account,
  Optional['warn']            => Certlet::Duration,
  Optional['critical']        => Certlet::Duration,
  Optional['stale']           => Certlet::Duration,
}]
