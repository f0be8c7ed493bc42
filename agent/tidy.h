/* SPDX-License-Identifier: ISC */
/* tidy: what is not needed any more after a run: generations, outputs, services, old problems. */
#ifndef CERTLET_TIDY_H
#define CERTLET_TIDY_H

#include "run.h"

/* After the state was saved: what it speaks of is kept. */
void tidy_run(struct run *run);

#endif
