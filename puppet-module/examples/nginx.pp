# nginx serves www.example.com. Both come in one run: the agent fetches the certificate before nginx starts with it.
class { 'certlet':
  vault        => { 'address' => 'https://vault.example.com:8200', 'auth' => 'cert' },
  certificates => {
    'www.example.com' => {
      'names'    => ['www.example.com', '*.example.com'],
      'group'    => 'www-data',
      'key_mode' => '0640',
      'services' => ['nginx'],
    },
  },
}

$certificate = certlet::path('www.example.com', 'fullchain')
$key = certlet::path('www.example.com', 'privkey')

file { '/etc/nginx/conf.d/www.example.com.conf':
  content => "server {
    listen 443 ssl;
    server_name www.example.com;
    ssl_certificate ${certificate};
    ssl_certificate_key ${key};
    root /srv/www;
}
",
}
~> service { 'nginx':
  ensure  => running,
  require => Class['certlet'],
}
