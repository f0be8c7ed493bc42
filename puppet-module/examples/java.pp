# A Java application in a chroot: it cannot follow links out of there, so it has copies, which belong to its own user.
class { 'certlet':
  vault        => { 'address' => 'https://vault.example.com:8200', 'auth' => 'cert' },
  certificates => {
    'app.example.com' => {
      'install'        => 'copy',
      'owner'          => 'tomcat',
      'fullchain_path' => '/srv/app/tls/fullchain.pem',
      'key_path'       => '/srv/app/tls/key.pem',
      'services'       => ['app'],
    },
  },
  services     => {
    'app' => { 'unit' => 'app.service', 'reload' => '/usr/bin/systemctl reload app.service' },
  },
}
