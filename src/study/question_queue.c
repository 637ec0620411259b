/* question_queue.c - see question_queue.h, and docs/adr/011-questions-ahead.md for why it is made so.
 *
 * Decoding and resizing are compute, and yet not OpenMP's: one thread that mostly sleeps is no second pool. It runs where
 * all cores compute, too: it does there what the measuring thread would do, and nothing is lost.
 *
 * Invariants
 * (1) Question i has entry i % n_slots. It is made ready by one thread, which alone touches its entry until n_ready is
 *     past it, and no picture but those of questions from there on.
 * (2) n_taken <= n_ready, and with the one under way it is at most n_ahead further.
 * (3) A question takes at most one new picture, in turn from n_slots = n_places + n_ahead. A picture is thus overwritten
 *     for the question n_slots after its own at the earliest, when that one's time is over. */
#include "study/question_queue.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

typedef struct entry {
    cf_prepared prepared;
    const cf_picture *picture;
    cf_status status;
    cf_error fault; /* where status is one */
} entry;

struct cf_question_queue {
    const cf_runtime *runtime;
    const char *images;
    const cf_list_item *items;
    size_t n_items, n_ahead, n_slots;
    entry *entries;       /* [n_slots] */
    cf_picture *pictures; /* [n_slots] */
    size_t last;          /* the picture of the question that was made ready last */

    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock; /* of the three below */
    pthread_cond_t changed;
    size_t n_ready, n_taken; /* questions */
    bool quit;
};

/* The last question's picture, if it has this path; else the next in turn, emptied, whose name will be a new one. */
static cf_picture *picture_for(cf_question_queue *q, const char *path)
{
    const cf_picture *last = &q->pictures[q->last];
    if (!last->path || strcmp(last->path, path) != 0) {
        q->last = (q->last + 1) % q->n_slots;
        cf_picture_deinit(&q->pictures[q->last]);
        q->pictures[q->last].name = last->name;
    }
    return &q->pictures[q->last];
}

static void make_ready(cf_question_queue *q, size_t i)
{
    entry *e = &q->entries[i % q->n_slots];
    const cf_question *question = q->items[i].question;
    char *path = NULL;
    e->status = cf_picture_path(&path, q->images, question->image, &e->fault);
    if (e->status == CF_OK) {
        cf_picture *picture = picture_for(q, path);
        e->picture = picture;
        e->status = cf_prepare_question(&e->prepared, picture, q->runtime, question, path, &e->fault);
    }
    free(path);
}

static void *work_ahead(void *user)
{
    cf_question_queue *q = user;
    /* Woken by whoever takes a question, it does not push that thread from its core. Refused, it costs that, no more. */
    (void)pthread_setschedparam(pthread_self(), SCHED_BATCH, &(struct sched_param){0});
    (void)pthread_mutex_lock(&q->lock);
    while (!q->quit && q->n_ready < q->n_items) {
        const size_t i = q->n_ready;
        if (i == q->n_taken + q->n_ahead) {
            (void)pthread_cond_wait(&q->changed, &q->lock);
            continue;
        }
        (void)pthread_mutex_unlock(&q->lock);
        make_ready(q, i);
        (void)pthread_mutex_lock(&q->lock);
        q->n_ready++;
        (void)pthread_cond_signal(&q->changed);
    }
    (void)pthread_mutex_unlock(&q->lock);
    return NULL;
}

cf_status cf_question_queue_create(cf_question_queue **out, const cf_runtime *r, const char *images,
                                   const cf_list_item *items, size_t n_items, size_t n_places, size_t n_ahead,
                                   cf_error *err)
{
    cf_status st = CF_OK;
    void *memory = NULL;
    cf_question_queue *q = calloc(1, sizeof *q);
    if (!q)
        return cf_fail(err, CF_NOMEM, "no memory for questions");
    *q = (cf_question_queue){.runtime = r,
                             .images = images,
                             .items = items,
                             .n_items = n_items,
                             .n_ahead = n_ahead,
                             .n_slots = n_places + n_ahead};
    (void)pthread_mutex_init(&q->lock, NULL); /* neither can fail with default attributes */
    (void)pthread_cond_init(&q->changed, NULL);
    CF_TRY(cf_alloc(&memory, q->n_slots, sizeof *q->entries, "questions", err));
    q->entries = memory;
    CF_TRY(cf_alloc(&memory, q->n_slots, sizeof *q->pictures, "pictures", err));
    q->pictures = memory;
    q->has_thread = n_ahead > 0 && pthread_create(&q->thread, NULL, work_ahead, q) == 0;
    if (n_ahead > 0 && !q->has_thread) {
        st = cf_fail(err, CF_NOMEM, "no thread to make questions ready ahead");
        goto done;
    }
    *out = q;
    q = NULL;
done:
    cf_question_queue_free(q);
    return st;
}

void cf_question_queue_free(cf_question_queue *q)
{
    if (!q)
        return;
    if (q->has_thread) {
        (void)pthread_mutex_lock(&q->lock);
        q->quit = true;
        (void)pthread_cond_signal(&q->changed);
        (void)pthread_mutex_unlock(&q->lock);
        (void)pthread_join(q->thread, NULL);
    }
    for (size_t i = 0; q->entries && i < q->n_slots; i++)
        cf_prepared_deinit(&q->entries[i].prepared);
    for (size_t i = 0; q->pictures && i < q->n_slots; i++)
        cf_picture_deinit(&q->pictures[i]);
    free(q->entries);
    free(q->pictures);
    (void)pthread_cond_destroy(&q->changed);
    (void)pthread_mutex_destroy(&q->lock);
    free(q);
}

cf_status cf_question_queue_take(cf_question_queue *q, const cf_list_item *item, cf_prepared *prepared,
                                 const cf_picture **picture, cf_error *err)
{
    (void)pthread_mutex_lock(&q->lock);
    const size_t i = q->n_taken;
    assert(i < q->n_items && item == &q->items[i]);
    if (!q->has_thread)
        make_ready(q, q->n_ready++);
    while (q->n_ready == i)
        (void)pthread_cond_wait(&q->changed, &q->lock);
    entry *e = &q->entries[i % q->n_slots];
    const cf_status st = e->status;
    if (st == CF_OK) {
        *prepared = e->prepared;
        *picture = e->picture;
        e->prepared = (cf_prepared){0};
    } else if (err)
        *err = e->fault;
    q->n_taken++;
    (void)pthread_cond_signal(&q->changed);
    (void)pthread_mutex_unlock(&q->lock);
    return st;
}

size_t cf_question_queue_n_ready(cf_question_queue *q)
{
    (void)pthread_mutex_lock(&q->lock);
    const size_t n = q->n_ready - q->n_taken;
    (void)pthread_mutex_unlock(&q->lock);
    return n;
}
