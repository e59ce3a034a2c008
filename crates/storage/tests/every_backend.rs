//! What holds for every database, and for the two that are servers: on real ones, made for these tests.

#[path = "every_backend/homes.rs"]
mod homes;
#[path = "every_backend/outages.rs"]
mod outages;
#[path = "every_backend/queries.rs"]
mod queries;
#[path = "every_backend/rows.rs"]
mod rows;
#[path = "every_backend/tables.rs"]
mod tables;

/// Makes a test of each function for each database.
macro_rules! on_every_database {
    ($($module:ident :: $case:ident),* $(,)?) => {
        mod sqlite { $(#[test] fn $case() { crate::$module::$case(crate::homes::Kind::Sqlite); })* }
        mod postgres { $(#[test] fn $case() { crate::$module::$case(crate::homes::Kind::Postgres); })* }
        mod mariadb { $(#[test] fn $case() { crate::$module::$case(crate::homes::Kind::Mariadb); })* }
    };
}

/// Makes a test of each function for each database that is a server.
macro_rules! on_every_server {
    ($($module:ident :: $case:ident),* $(,)?) => {
        mod postgres_server { $(#[test] fn $case() { crate::$module::$case(crate::homes::Kind::Postgres); })* }
        mod mariadb_server { $(#[test] fn $case() { crate::$module::$case(crate::homes::Kind::Mariadb); })* }
    };
}

on_every_database! {
    rows::rows_come_back_as_they_were_written,
    rows::numbers_of_32_bits_and_texts_of_any_alphabet_come_back,
    rows::rows_are_found_by_slot_and_by_call_id,
    rows::a_change_goes_to_its_row_only,
    rows::variables_that_are_gone_go_from_the_table,
    rows::the_same_batch_twice_leaves_the_same_rows,
    rows::a_retry_is_right_after_either_outcome,
    rows::a_row_that_somebody_removed_is_written_again,
    rows::a_refused_row_leaves_nothing_of_its_batch,
    rows::random_batches_leave_what_a_map_holds,
    rows::the_highest_numbers_count_those_of_variables_too,
    rows::ten_thousand_rows_are_loaded_and_loading_can_be_broken_off,
    tables::creating_twice_does_no_harm_and_names_can_be_changed,
    tables::what_is_missing_is_named_with_the_remedy,
    tables::tables_made_by_kamailios_scripts_are_taken,
    tables::emptied_tables_are_empty,
    queries::values_keep_their_types,
    queries::results_beyond_their_bounds_are_refused_and_the_connection_goes_on,
    queries::wrong_statements_are_refused_and_the_connection_goes_on,
    queries::changed_rows_are_counted,
    queries::no_transaction_is_left_open,
    queries::statements_together_are_all_done_or_none,
    queries::a_statement_with_a_nul_byte_is_refused_and_the_connection_goes_on,
    rows::what_was_refused_while_a_row_was_put_back_comes_not_twice,
}

on_every_server! {
    tables::a_column_of_another_type_is_no_fault_of_a_row,
    rows::a_text_that_is_too_long_is_refused_by_the_name_of_its_column,
    outages::wrong_credentials_and_a_missing_database_are_told_apart_from_outages,
    outages::a_stopped_server_is_away_and_comes_back,
    outages::a_server_that_crashes_between_batches_keeps_what_was_applied,
    outages::a_hung_server_costs_a_caller_no_more_than_the_deadline,
    outages::what_a_slow_server_does_later_comes_not_twice,
    outages::a_locked_table_costs_no_more_than_the_deadline,
    outages::a_killed_connection_is_away,
    outages::a_server_that_takes_no_writes_is_told_as_such,
    outages::a_primary_key_that_is_used_up_is_told_with_the_remedy,
    outages::the_socket_leads_to_the_server_too,
    outages::sessions_of_others_live_on_after_a_restart,
    queries::a_result_without_end_costs_no_more_than_the_deadline,
    tables::mysql_tables_need_transactions,
    rows::a_change_stays_in_its_place_whatever_language_the_server_speaks,
    rows::a_byte_that_is_no_utf_8_keeps_no_row_from_being_loaded,
}
