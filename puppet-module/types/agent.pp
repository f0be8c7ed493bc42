# @summary The agent itself: the `[agent]` section of the manifest, see certlet.ini(5)
type Certlet::Agent = Struct[{
  Optional['directory']       => Certlet::Path,
  Optional['state_directory'] => Certlet::Path,
  Optional['run_directory']   => Certlet::Path,
  Optional['user']            => Certlet::Account,
  Optional['metrics_file']    => Certlet::MetricsFile,
  Optional['warn']            => Variant[Certlet::Duration, Pattern[/\A0[smhd]\z/]],
  Optional['critical']        => Variant[Certlet::Duration, Pattern[/\A0[smhd]\z/]],
  Optional['stale']           => Certlet::Duration,
  Optional['adopt']           => Boolean,
}]
