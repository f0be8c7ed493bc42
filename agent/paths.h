/* SPDX-License-Identifier: ISC */
/* paths: where things are unless the manifest says otherwise; configure moves them. */
#ifndef CERTLET_PATHS_H
#define CERTLET_PATHS_H

#ifndef CERTLET_SYSCONFDIR
#define CERTLET_SYSCONFDIR "/etc/certlet"
#endif
#ifndef CERTLET_STATEDIR
#define CERTLET_STATEDIR "/var/lib/certlet"
#endif
#ifndef CERTLET_RUNDIR
#define CERTLET_RUNDIR "/run/certlet"
#endif
#ifndef CERTLET_DATADIR
#define CERTLET_DATADIR "/usr/share/certlet"
#endif

#define CERTLET_MANIFEST CERTLET_SYSCONFDIR "/manifest.ini"
#define CERTLET_PRESETS CERTLET_DATADIR "/services.ini"

#endif
