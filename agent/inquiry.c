/* SPDX-License-Identifier: ISC */
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "appraise.h"
#include "clock.h"
#include "inquiry.h"
#include "kv.h"
#include "memory.h"
#include "vault.h"
#include "wire.h"

/* The parent writes to disk between two answers, and reads on when it is done. */
#define SEND_MILLISECONDS (3600L * 1000)

/* What becomes of one question. */
struct task {
	struct question question;
	struct kv_item item;
	bool answered;
	struct version newest;		/* that was read and refused, or is spared */
	struct failure *refusal;	/* of the newest, until the installed one is read; or NULL */
	time_t retry;			/* of the refusal */
	struct failure *unanswered;	/* no address had more than a 5xx for it; or NULL */
};

struct inquiry {
	struct channel parent;
	const struct manifest *manifest;
	struct kv kv;
	struct task *tasks;
	size_t count;
	struct kv_item **chosen;	/* for the next step: room for all */
	struct frame frame;
};

static struct task *
task_of(struct kv_item *item)
{
	return (struct task *)((char *)item - offsetof(struct task, item));
}

/* --- Answers --- */

static void
send_frame(struct inquiry *inquiry, bool at_once)
{
	const long until = clock_milliseconds() + SEND_MILLISECONDS;
	struct failure why;

	if (channel_send(&inquiry->parent, &inquiry->frame, until, &why) == -1 ||
	    (at_once && channel_flush(&inquiry->parent, until, &why) == -1))
		_exit(EXIT_BROKEN);
	frame_clear(&inquiry->frame);
}

static void
send_answer(struct inquiry *inquiry, struct task *task, struct answer *answer)
{
	answer->entry = task->question.entry;
	wire_put_answer(&inquiry->frame, answer);
	/* The parent has something to do with the others while more come. */
	send_frame(inquiry, answer->kind != ANSWER_UNCHANGED);
	task->answered = true;
}

static void
answer_unchanged(struct inquiry *inquiry, struct task *task, const struct version *offered)
{
	struct answer answer = { .kind = ANSWER_UNCHANGED, .offered = *offered };

	send_answer(inquiry, task, &answer);
}

static void
answer_failed(struct inquiry *inquiry, struct task *task, const struct failure *why)
{
	struct answer answer = { .kind = ANSWER_FAILED, .offered = task->newest, .why = *why };

	send_answer(inquiry, task, &answer);
}

static struct failure *
copy_failure(const struct failure *why)
{
	struct failure *copy = memory_new(1, sizeof(*copy));

	*copy = *why;
	return copy;
}

/* Whose fault that is, its own or the server's, is known when all were asked for. */
static void
answer_nothing(struct task *task, const struct failure *why)
{
	task->unanswered = copy_failure(why);
	task->answered = true;
}

static void
answer_refused(struct inquiry *inquiry, struct task *task, const struct failure *why)
{
	struct answer answer = {
		.kind = ANSWER_REFUSED, .offered = task->newest, .why = *why, .retry = task->retry,
	};

	send_answer(inquiry, task, &answer);
}

/* --- What a version means to a question --- */

static bool
is_spared(const struct question *question, const struct version *version)
{
	for (int i = 0; i < QUESTION_SPARED; i++)
		if (version_equal(&question->spared[i], version))
			return true;
	return false;
}

static bool
has_spared(const struct question *question)
{
	for (int i = 0; i < QUESTION_SPARED; i++)
		if (!version_is_none(&question->spared[i]))
			return true;
	return false;
}

/* Nothing of it is on this disk in good order: whatever is the newest is wanted, unseen. */
static bool
wants_newest_anyway(const struct question *question)
{
	return !has_spared(question) &&
	    (question->damaged || version_is_none(&question->installed));
}

static bool
is_known(const struct question *question, const struct version *version)
{
	if (version_equal(&question->installed, version))
		return !question->damaged;
	return is_spared(question, version);
}

/* Damaged, and the newest is of no use: the installed version is asked for by its number. */
static bool
can_fall_back(const struct task *task, const struct version *newest)
{
	const struct question *question = &task->question;

	return question->damaged && task->item.version == KV_2 && question->installed.number != 0 &&
	    task->item.number == 0 && !version_equal(&question->installed, newest);
}

/* The newest need not be read. */
static void
take_known(struct inquiry *inquiry, struct task *task, const struct version *newest)
{
	struct failure why;

	task->newest = *newest;
	if (!task->question.damaged) {
		answer_unchanged(inquiry, task, newest);
	} else if (can_fall_back(task, newest)) {
		task->item.number = task->question.installed.number;
	} else {
		(void)failure_set(&why, FAILURE_ABSENT, "what is installed is damaged, and version "
		    "%llu, all that the repository has, was refused before",
		    (unsigned long long)newest->number);
		answer_failed(inquiry, task, &why);
	}
}

/* --- The newest version --- */

static int
appraise(const struct inquiry *inquiry, const struct task *task, const struct version *version,
    const json_t *data, struct answer *answer, struct failure *why)
{
	if (appraise_secret(&inquiry->manifest->agent, &task->question, &task->item, version, data,
	    answer, why) == 0)
		return 0;
	return failure_prefix(why, "%s", vault_address(inquiry->kv.vault));
}

/* To the installed version; what the newest was refused for, or why there is none, is kept. */
static void
fall_back(struct task *task, const struct failure *why)
{
	task->refusal = copy_failure(why);
	task->item.number = task->question.installed.number;
}

static void
take_newest(struct inquiry *inquiry, struct task *task, const struct version *version,
    const json_t *data)
{
	struct answer answer = { .kind = ANSWER_MATERIAL, .offered = *version, .got = *version };
	struct failure why;

	task->newest = *version;
	if (is_known(&task->question, version)) {
		take_known(inquiry, task, version);
	} else if (appraise(inquiry, task, version, data, &answer, &why) == 0) {
		send_answer(inquiry, task, &answer);
	} else {
		task->retry = answer.retry;
		if (can_fall_back(task, version))
			fall_back(task, &why);
		else
			answer_refused(inquiry, task, &why);
	}
	answer_clear(&answer);
}

/* A newest that is gone or out of reach is what a damaged certificate falls back from, too. */
static void
take_no_newest(struct inquiry *inquiry, struct task *task, const struct failure *why)
{
	const struct version none = { 0 };

	if (why->kind == FAILURE_ABSENT && can_fall_back(task, &none))
		fall_back(task, why);
	else if (task->item.unanswered)
		answer_nothing(task, why);
	else
		answer_failed(inquiry, task, why);
}

static void
was_polled(void *context, struct kv_item *item, const struct failure *why)
{
	struct inquiry *inquiry = context;
	struct task *task = task_of(item);

	if (why != NULL)
		take_no_newest(inquiry, task, why);
	else if (!version_is_none(&item->newest) && is_known(&task->question, &item->newest))
		take_known(inquiry, task, &item->newest);
}

static void
was_read(void *context, struct kv_item *item, const struct version *version, const json_t *data,
    const struct failure *why)
{
	struct inquiry *inquiry = context;

	if (why != NULL)
		take_no_newest(inquiry, task_of(item), why);
	else
		take_newest(inquiry, task_of(item), version, data);
}

/* --- The installed version once more --- */

/* What the newest was refused for is what the certificate lacks; else, why there is no old one. */
static void
answer_without_installed(struct inquiry *inquiry, struct task *task, const struct failure *why)
{
	if (task->refusal != NULL && task->refusal->kind == FAILURE_REFUSED)
		answer_refused(inquiry, task, task->refusal);
	else
		answer_failed(inquiry, task, task->refusal != NULL ? task->refusal : why);
}

static void
installed_was_read(void *context, struct kv_item *item, const struct version *version,
    const json_t *data, const struct failure *why)
{
	struct inquiry *inquiry = context;
	struct task *task = task_of(item);
	struct answer answer = { .kind = ANSWER_MATERIAL, .offered = task->newest };
	struct failure here;

	if (why != NULL) {
		answer_without_installed(inquiry, task, why);
		return;
	}
	answer.got = *version;
	if (!version_equal(version, &task->question.installed)) {
		(void)failure_set(&here, FAILURE_ABSENT, "%s: version %llu is another one than was "
		    "installed", item->entry->source, (unsigned long long)version->number);
		answer_without_installed(inquiry, task, &here);
	} else if (appraise(inquiry, task, version, data, &answer, &here) == -1) {
		answer_without_installed(inquiry, task, &here);
	} else {
		if (version_is_none(&answer.offered))
			answer.offered = *version;
		if (task->refusal != NULL && task->refusal->kind == FAILURE_REFUSED) {
			answer.why = *task->refusal;
			answer.retry = task->retry;
		}
		send_answer(inquiry, task, &answer);
	}
	answer_clear(&answer);
}

/* --- The talk as a whole --- */

/* The tasks without an answer for which `fits` holds go to inquiry->chosen. */
static size_t
choose(struct inquiry *inquiry, bool (*fits)(const struct task *))
{
	size_t count = 0;

	for (size_t i = 0; i < inquiry->count; i++)
		if (!inquiry->tasks[i].answered && fits(&inquiry->tasks[i]))
			inquiry->chosen[count++] = &inquiry->tasks[i].item;
	return count;
}

static bool
is_any(const struct task *task)
{
	(void)task;
	return true;
}

static bool
is_to_be_polled(const struct task *task)
{
	return task->item.version == KV_2 && !wants_newest_anyway(&task->question);
}

static bool
is_to_be_read(const struct task *task)
{
	return task->item.number == 0;
}

static bool
is_to_be_read_again(const struct task *task)
{
	return task->item.number != 0;
}

static int
talk(struct inquiry *inquiry, struct failure *why)
{
	struct kv *kv = &inquiry->kv;
	struct kv_item *const *chosen = inquiry->chosen;

	if (kv_detect(kv, chosen, choose(inquiry, is_any), why) == -1 ||
	    kv_poll(kv, chosen, choose(inquiry, is_to_be_polled), was_polled, inquiry, why) == -1 ||
	    kv_read(kv, chosen, choose(inquiry, is_to_be_read), was_read, inquiry, why) == -1 ||
	    kv_read(kv, chosen, choose(inquiry, is_to_be_read_again), installed_was_read, inquiry,
	    why) == -1)
		return -1;
	return 0;
}

/* A server that has only a 5xx for all that is asked for is away; else those secrets failed. */
static void
tell_unanswered(struct inquiry *inquiry, struct failure *away)
{
	size_t unanswered = 0;

	for (size_t i = 0; i < inquiry->count; i++)
		unanswered += inquiry->tasks[i].unanswered != NULL;
	for (size_t i = 0; i < inquiry->count; i++) {
		struct task *task = &inquiry->tasks[i];

		if (task->unanswered != NULL && unanswered < inquiry->count)
			answer_failed(inquiry, task, task->unanswered);
	}
	if (unanswered == inquiry->count)
		*away = *inquiry->tasks[0].unanswered;
}

/* --- Questions --- */

static void
add_task(struct inquiry *inquiry, const struct question *question)
{
	struct task *task;

	if (question->entry >= inquiry->manifest->entry_count)
		_exit(EXIT_BROKEN);
	inquiry->tasks = memory_grow(inquiry->tasks, inquiry->count + 1, sizeof(*inquiry->tasks));
	task = &inquiry->tasks[inquiry->count++];
	*task = (struct task){ .question = *question };
	task->item.entry = &inquiry->manifest->entries[question->entry];
}

static void
take_questions(struct inquiry *inquiry)
{
	for (;;) {
		struct question question;
		struct failure why;

		if (channel_receive(&inquiry->parent, &inquiry->frame,
		    clock_milliseconds() + SEND_MILLISECONDS, &why) == -1)
			_exit(EXIT_BROKEN);
		if (inquiry->frame.type == WIRE_GO)
			return;
		if (!wire_take_question(&inquiry->frame, &question))
			_exit(EXIT_BROKEN);
		add_task(inquiry, &question);
	}
}

static void
tell(struct fetch_summary *summary, const struct vault *vault)
{
	struct vault_account account;

	vault_tell(vault, &account);
	/* A server that lets in and has nothing to give is as good as away, when that lasts. */
	summary->let_in = account.let_in && summary->away.kind == FAILURE_NONE;
	summary->credentials = account.credentials;
	summary->requests = account.requests;
	summary->address = account.address;
	summary->drop_token = account.drop_token;
	if (account.token != NULL) {
		secret_set(&summary->token, account.token->bytes, account.token->size);
		summary->token_expires = account.token_expires;
	}
}

void
inquiry_run(int socket, const struct manifest *manifest, const struct credentials *credentials,
    const struct notes *notes)
{
	struct fetch_summary summary = { .let_in = true, .address = -1 };
	struct inquiry inquiry = {
		.manifest = manifest,
		.kv = { .known = notes, .learned = &summary.notes, .now = time(NULL) },
	};

	channel_open(&inquiry.parent, socket);
	take_questions(&inquiry);
	if (inquiry.count != 0) {
		summary.let_in = false;
		inquiry.chosen = memory_new(inquiry.count, sizeof(*inquiry.chosen));
		inquiry.kv.vault = vault_open(&manifest->vault, credentials, &summary.away);
		if (inquiry.kv.vault == NULL)
			_exit(EXIT_BROKEN);
		if (talk(&inquiry, &summary.away) == 0)
			tell_unanswered(&inquiry, &summary.away);
		vault_log_out(inquiry.kv.vault);
		tell(&summary, inquiry.kv.vault);
	}
	wire_put_summary(&inquiry.frame, &summary);
	send_frame(&inquiry, true);
	_exit(EXIT_WANTED);
}
