/* SPDX-License-Identifier: ISC */
/*
 * wire: questions, answers and the summary as frames. The child uses one half, the parent the
 * other; what the parent takes is checked as if its worst enemy had sent it.
 */
#ifndef CERTLET_WIRE_H
#define CERTLET_WIRE_H

#include "exchange.h"
#include "frame.h"

enum wire_type { WIRE_QUESTION = 1, WIRE_GO, WIRE_ANSWER, WIRE_SUMMARY, WIRE_UNWRAPPED };

/* Parent to child. The child owns what it takes. */
void wire_put_question(struct frame *frame, const struct question *question);
bool wire_take_question(struct frame *frame, struct question *out_question);

/*
 * Whether an answer's material can be sent at all: sizes, names, PEM shape. The child refuses a
 * certificate for it; that the parent finds the same wrong with a frame means a broken child.
 */
int wire_check_material(const struct material *material, struct failure *why);

/* Child to parent. false: not as it must be; the outputs then hold nothing. */
void wire_put_answer(struct frame *frame, const struct answer *answer);
bool wire_take_answer(struct frame *frame, struct answer *out_answer);
void wire_put_summary(struct frame *frame, const struct fetch_summary *summary);
bool wire_take_summary(struct frame *frame, size_t addresses, struct fetch_summary *out_summary);
void wire_put_unwrapped(struct frame *frame, const struct unwrapped *unwrapped);
bool wire_take_unwrapped(struct frame *frame, struct unwrapped *out_unwrapped);

#endif
