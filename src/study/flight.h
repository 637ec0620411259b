/* flight.h - the samples in flight: taken one by one from their questions, answered and measured together, committed in
 * their order. */
#ifndef CF_STUDY_FLIGHT_H
#define CF_STUDY_FLIGHT_H

#include "study/study.h"

typedef struct cf_flight cf_flight;

/* s->n_places places, each with a session of its own, for the questions that s->list holds now. The flight must be freed
 * before the study is closed. */
CF_MUST_USE cf_status cf_flight_create(cf_flight **out, const cf_study *s, cf_error *err);
void cf_flight_free(cf_flight *f);

/* Takes a question to the next place: its row, its picture, its prompt. All of the list, in its order; at most n_places
 * between two clears. */
CF_MUST_USE cf_status cf_flight_take(cf_flight *f, cf_study *s, const cf_list_item *item, cf_error *err);
size_t cf_flight_n(const cf_flight *f); /* taken */

/* Answers all that were taken, and measures those that are kept. */
CF_MUST_USE cf_status cf_flight_measure(cf_flight *f, cf_study *s, cf_error *err);
/* Stores what became of the i-th taken, its fault where it had one. */
CF_MUST_USE cf_status cf_flight_commit(cf_flight *f, cf_study *s, size_t i, cf_error *err);
const char *cf_flight_task(const cf_flight *f, size_t i); /* of the i-th taken */
void cf_flight_clear(cf_flight *f);

/* Multiply-adds that the sessions' decoder layers have done since the flight was made. */
int64_t cf_flight_decoder_macs(const cf_flight *f);

#endif
