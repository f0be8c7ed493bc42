# @summary Where a file of a certificate is installed
#
# @example In a virtual host
#   $key = certlet::path('www.example.com', 'privkey')
# @param name The certificate
# @param file Which of its files; the directory of all of them when not given
# @return the absolute path
function certlet::path(Certlet::Name $name, Optional[Enum['cert', 'chain', 'fullchain', 'privkey', 'combined']] $file = undef) >> Certlet::Path {
  # The class may stand behind this one, or be declared without Hiera.
  $agent = getvar('certlet::agent').lest || { lookup('certlet::agent', { 'default_value' => {} }) }
  $base = $agent['directory'] ? {
    undef   => '/etc/certlet',
    default => $agent['directory'],
  }
  $directory = "${base}/live/${name}"
  $file ? {
    undef   => $directory,
    default => "${directory}/${file}.pem",
  }
}
