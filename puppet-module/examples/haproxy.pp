# HAProxy reads key, certificate and chain from one file for each site: the directory stands in `bind … ssl crt /etc/haproxy/certs`.
class { 'certlet':
  vault => { 'address' => 'https://vault.example.com:8200', 'auth' => 'cert' },
}

file { '/etc/haproxy/certs':
  ensure => directory,
  owner  => 'root',
  group  => 'root',
  mode   => '0755',
  before => Class['certlet'],
}

['shop.example.com', 'api.example.com'].each |$site| {
  certlet::certificate { $site:
    combined_path => "/etc/haproxy/certs/${site}.pem",
    services      => ['haproxy'],
  }
}
