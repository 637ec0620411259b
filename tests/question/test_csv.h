/* test_csv.h - the tests of the CSV reader, run by test_question.c. */
#ifndef CF_TESTS_QUESTION_TEST_CSV_H
#define CF_TESTS_QUESTION_TEST_CSV_H

void each_text_splits_into_its_cells(void **state);
void each_damaged_text_names_its_line(void **state);
void a_row_knows_the_line_it_begins_on(void **state);

#endif
