# @summary Takes a certificate out to many servers now, some at a time, and stops at the first failure
#
# The servers of the lot in which one fails are done; those behind it are left as they were, until their timers run.
#
# @example
#   bolt plan run certlet::rollout certificate=www.example.com targets=webservers
#
# @param targets The servers
# @param certificate The certificate
# @param lot How many servers at a time
# @return one result a server
plan certlet::rollout (
  TargetSpec $targets,
  Certlet::Name $certificate,
  Integer[1] $lot = 10,
) {
  $lots = get_targets($targets).slice($lot)
  return $lots.reduce([]) |$done, $some| {
    # run_task fails the plan when it failed on one of them: no further lot begins.
    $done + run_task('certlet::sync', $some, "certlet --sync ${certificate}", 'certificate' => $certificate).results
  }
}
