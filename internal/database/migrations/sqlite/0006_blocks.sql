-- +goose Up
-- By hand: the column is added in place. The draft made the table anew and copied every mailbox.
ALTER TABLE `mailboxes` ADD COLUMN `blocking` bool NOT NULL DEFAULT (false);
-- create "blocks" table
CREATE TABLE `blocks` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `mailbox_id` integer NOT NULL, `user_id` text NOT NULL);
-- create index "block_mailbox_id_user_id" to table: "blocks"
CREATE UNIQUE INDEX `block_mailbox_id_user_id` ON `blocks` (`mailbox_id`, `user_id`);
-- create index "block_user_id" to table: "blocks"
CREATE INDEX `block_user_id` ON `blocks` (`user_id`);
