/* question_queue.h - the questions of a list made ready one after the other, each with its picture, its prompt and its
 * position groups: by a thread of its own, while the questions before them are measured.
 *
 * Owns the thread and the pictures; borrows the list and the runtime's files, and never touches a backend. Questions that
 * follow each other and have one picture share it: it is read once, under one name. What is ready and what is held is
 * bounded, however long the list is. */
#ifndef CF_STUDY_QUESTION_QUEUE_H
#define CF_STUDY_QUESTION_QUEUE_H

#include "study/prepare.h"
#include "study/question_list.h"

typedef struct cf_question_queue cf_question_queue;

/* The questions items[n_items], with their pictures in the folder `images`; all of it, and the runtime's files, must
 * outlive the queue. n_ahead: how many are made ready before they are asked for, at most; 0: none and no thread, each is
 * made ready when it is asked for. n_places: how many a caller works on at once, 1 or more. */
CF_MUST_USE cf_status cf_question_queue_create(cf_question_queue **out, const cf_runtime *r, const char *images,
                                               const cf_list_item *items, size_t n_items, size_t n_places,
                                               size_t n_ahead, cf_error *err);
/* Ends the thread, after the question it is at. */
void cf_question_queue_free(cf_question_queue *q);

/* Takes the next question, which must be `item`: they come in the order of the list, each once. Waits until it is ready.
 * *prepared (empty before) becomes the caller's, and borrows from *picture, which stays the queue's and as it is until
 * n_places more questions are asked for. Fails as cf_prepare_question does, whenever it was made ready. */
CF_MUST_USE cf_status cf_question_queue_take(cf_question_queue *q, const cf_list_item *item, cf_prepared *prepared,
                                             const cf_picture **picture, cf_error *err);
/* Questions that are ready and have not been asked for: at most n_ahead. */
size_t cf_question_queue_n_ready(cf_question_queue *q);

#endif
