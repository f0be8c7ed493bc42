/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "exchange.h"

void
answer_clear(struct answer *answer)
{
	material_clear(&answer->material);
	free(answer->notice);
	*answer = (struct answer){ 0 };
}

void
fetch_summary_clear(struct fetch_summary *summary)
{
	secret_clear(&summary->token);
	notes_clear(&summary->notes);
	*summary = (struct fetch_summary){ 0 };
}

void
unwrapped_clear(struct unwrapped *unwrapped)
{
	secret_clear(&unwrapped->secret_id);
	*unwrapped = (struct unwrapped){ 0 };
}
