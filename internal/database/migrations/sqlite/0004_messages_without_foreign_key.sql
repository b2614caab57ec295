-- +goose Up
-- disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- create "new_messages" table
CREATE TABLE `new_messages` (`id` integer NOT NULL, `mailbox_id` integer NOT NULL, `message_id` uuid NOT NULL, `sender_user_id` text NOT NULL, `sender_device_id` text NOT NULL, `sender_list_version` integer NOT NULL, `sent_at` integer NOT NULL, `expires_at` integer NOT NULL, `kind` integer NOT NULL, `nonce` blob NULL, `ciphertext` blob NOT NULL, PRIMARY KEY (`id`));
-- copy rows from old table "messages" to new temporary table "new_messages"
INSERT INTO `new_messages` (`id`, `mailbox_id`, `message_id`, `sender_user_id`, `sender_device_id`, `sender_list_version`, `sent_at`, `expires_at`, `kind`, `nonce`, `ciphertext`) SELECT `id`, `mailbox_id`, `message_id`, `sender_user_id`, `sender_device_id`, `sender_list_version`, `sent_at`, `expires_at`, `kind`, `nonce`, `ciphertext` FROM `messages`;
-- drop "messages" table after copying rows
DROP TABLE `messages`;
-- rename temporary table "new_messages" to "messages"
ALTER TABLE `new_messages` RENAME TO `messages`;
-- create index "message_expires_at" to table: "messages"
CREATE INDEX `message_expires_at` ON `messages` (`expires_at`);
-- enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;
