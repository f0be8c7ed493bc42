# @api private
# @summary The agent with all its certificates, or its removal: known once nothing is left that could declare a certificate
#
# Defined types are evaluated in rounds, those that others declare in the next one, and what a collector realizes in the one
# after. This one declares itself for the next round as long as there is anything else in its own.
# @param census What `certlet::census` was in the round before
define certlet::whole (Integer $census = 0) {
  $now = certlet::census()
  if $now != $census {
    certlet::whole { "${title}, later":
      census => $now,
    }
  } else {
    $declared = certlet::declared()
    $wanted = $declared.filter |$name, $settings| { $settings['ensure'] != 'absent' }
    if $certlet::certificates =~ Undef and $wanted.empty and $certlet::ensure == 'present' {
      notice('certlet::certificates is not defined for this node: nothing is managed and nothing removed')
    } else {
      $present = $certlet::ensure == 'present' and !$wanted.empty
      class { 'certlet::install':
        present => $present,
      }
      class { 'certlet::config':
        present      => $present,
        certificates => $wanted,
      }
      class { 'certlet::timer':
        present => $present,
      }
      if $present {
        contain certlet::install, certlet::config, certlet::timer
        Class['certlet::install'] -> Class['certlet::config'] -> Class['certlet::timer']
        Class['certlet::config'] ~> Certlet_run['certlet']
        # A certificate is there once the agent ran: what requires it waits for that.
        $wanted.keys.each |$name| {
          Certlet_run['certlet'] -> Certlet::Certificate[$name]
        }
      } else {
        # Not contained: a removal that is held up holds up nothing that is ordered behind the class, least of all the removal of
        # the virtual host that it waits for. Until then the timer goes on: a certificate in use has to be renewed.
        Certlet::Whole[$title] -> Class['certlet::config'] -> Class['certlet::timer'] -> Class['certlet::install']
      }
    }
  }
}
