/* study.h - what trace and lens share: everything opened in order, every sample taken from its question to its committed
 * row, resumed where a study was left, faults of a question kept apart from faults of the study.
 *
 * A job says what is measured on a sample that is kept. Samples are measured one at a time, or several in flight
 * (flight.h) where that saves reading layers from the files. */
#ifndef CF_STUDY_STUDY_H
#define CF_STUDY_STUDY_H

#include "engine/score.h"
#include "engine/session.h"
#include "store/store.h"
#include "study/settings.h"
#include "study/prepare.h"
#include "study/question_list.h"
#include "study/run_set.h"

/* A sample in flight. What is the place's is kept from sample to sample. */
typedef struct cf_study_sample {
    size_t place;        /* 0 .. n_places - 1: no other sample in flight has it */
    cf_session *session; /* the place's */
    int32_t *answer_ids; /* the place's: [max_new_tokens] */
    const cf_question *question;
    const char *task; /* of its set */
    int64_t row;
    const cf_picture *picture; /* stays until the place is taken again */
    cf_prepared prepared;
    cf_scene scene;     /* of prepared */
    cf_asked asked;     /* once it is answered; answer: the greedy one without its end token */
    cf_str predicted;   /* as text, stripped */
    cf_results results; /* once it is measured */
} cf_study_sample;

typedef struct cf_study cf_study;
struct cf_facts;

typedef struct cf_study_job {
    const char *name;          /* "knockout", "lens": part of the study's identity */
    const char *default_flows; /* NULL: without --flow there are no runs */
    void *user;
    /* Adds what only this job's numbers depend on (study_facts.h). */
    cf_status (*add_facts)(struct cf_facts *f, const cf_study_options *o, cf_error *err);
    /* After the runtime is open and the runs are listed, before any sample; may be NULL. */
    cf_status (*open)(void *user, cf_study *s, cf_error *err);
    /* Before the baseline pass: the lowest position whose layer inputs must be kept. Failures are faults of the
     * question, but for CF_NOMEM. */
    cf_status (*plan)(void *user, cf_study *s, const cf_study_sample *sample, int32_t *keep_from, cf_error *err);
    /* On a sample that has been answered and is kept: what can still fail for it alone; failures likewise. */
    cf_status (*ready)(void *user, cf_study *s, const cf_study_sample *sample, cf_error *err);
    /* The kept samples in flight together: fills their results, which stay until their places are taken again. Failures
     * end the study. */
    cf_status (*measure)(void *user, cf_study *s, cf_study_sample *const *samples, size_t n, cf_error *err);
    /* Before the study is closed: facts known only now; may be NULL. */
    cf_status (*finish)(void *user, cf_study *s, cf_error *err);
} cf_study_job;

struct cf_study {
    const cf_study_options *o;
    const cf_study_job *job;
    cf_runtime runtime;
    cf_question_list list;
    char *images;
    cf_run_set runs;
    cf_store *store;
    size_t n_places;    /* samples in flight at once */
    int64_t other_macs; /* of the decoder's layers, outside the sessions */
    cf_study_result result;
};

/* Runs or continues a study. Faults of the model, the questions or the study file end it; a fault of one question is
 * stored and counted. Each question is committed whole, so a run that ends anywhere is continued by the same call.
 * CF_MISMATCH at the end where no question ran, or under strict where one had a fault. */
CF_MUST_USE cf_status cf_study_run(cf_study_result *out, const cf_study_options *o, const cf_study_job *job,
                                   cf_study_listener listen, void *user, cf_error *err);

#endif
