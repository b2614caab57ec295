-- +goose Up
-- create "devices" table
CREATE TABLE `devices` (`id` text NOT NULL, `signing_key` blob NOT NULL, `created_at` integer NOT NULL, `removed_at` integer NULL, `user_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `devices_users_devices` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE);
-- create "device_lists" table
CREATE TABLE `device_lists` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `version` integer NOT NULL, `statement` blob NOT NULL, `created_at` integer NOT NULL, `user_id` text NOT NULL, CONSTRAINT `device_lists_users_device_lists` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE);
-- create index "devicelist_user_id_version" to table: "device_lists"
CREATE UNIQUE INDEX `devicelist_user_id_version` ON `device_lists` (`user_id`, `version`);
-- create "mailboxes" table
CREATE TABLE `mailboxes` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `user_id` text NOT NULL, `list_version` integer NOT NULL, `closed` bool NOT NULL DEFAULT (false), `last_number` integer NOT NULL DEFAULT (0), `acknowledged_number` integer NOT NULL DEFAULT (0), `waiting_count` integer NOT NULL DEFAULT (0), `waiting_bytes` integer NOT NULL DEFAULT (0), `expired_count` integer NOT NULL DEFAULT (0), `accepted_count` integer NOT NULL DEFAULT (0), `device_id` text NOT NULL, CONSTRAINT `mailboxes_devices_mailbox` FOREIGN KEY (`device_id`) REFERENCES `devices` (`id`) ON DELETE CASCADE, CONSTRAINT `mailboxes_id_range` CHECK (id >= 1 AND id <= 2147483647));
-- create index "mailboxes_device_id_key" to table: "mailboxes"
CREATE UNIQUE INDEX `mailboxes_device_id_key` ON `mailboxes` (`device_id`);
-- create index "mailbox_user_id" to table: "mailboxes"
CREATE INDEX `mailbox_user_id` ON `mailboxes` (`user_id`);
-- create "messages" table
CREATE TABLE `messages` (`id` integer NOT NULL, `message_id` uuid NOT NULL, `sender_user_id` text NOT NULL, `sender_device_id` text NOT NULL, `sender_list_version` integer NOT NULL, `sent_at` integer NOT NULL, `expires_at` integer NOT NULL, `kind` integer NOT NULL, `nonce` blob NULL, `ciphertext` blob NOT NULL, `mailbox_id` integer NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `messages_mailboxes_messages` FOREIGN KEY (`mailbox_id`) REFERENCES `mailboxes` (`id`) ON DELETE CASCADE);
-- create index "message_expires_at" to table: "messages"
CREATE INDEX `message_expires_at` ON `messages` (`expires_at`);
-- create "users" table
CREATE TABLE `users` (`id` text NOT NULL, `user_key` blob NOT NULL, `list_version` integer NOT NULL, `created_at` integer NOT NULL, PRIMARY KEY (`id`));
-- create "stores" table
CREATE TABLE `stores` (`id` integer NOT NULL, `epoch` integer NOT NULL, PRIMARY KEY (`id`));

-- By hand from here: what ent has no words for.

-- What is remembered of sends (delivery contract 2): day in days since 1970 of the UUIDv7's time, key and content hashes,
-- accepted_at in Unix microseconds. Kept in order of its key alone; old days are deleted.
CREATE TABLE `sends` (`day` integer NOT NULL, `key` blob NOT NULL, `content` blob NOT NULL, `accepted_at` integer NOT NULL, `full_deliveries` blob NULL, PRIMARY KEY (`day`, `key`)) WITHOUT ROWID;
