-- +goose Up
-- create "link_messages" table
CREATE TABLE `link_messages` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `slot` blob NOT NULL, `step` integer NOT NULL, `data` blob NOT NULL, `expires_at` integer NOT NULL);
-- create index "linkmessage_slot_step" to table: "link_messages"
CREATE UNIQUE INDEX `linkmessage_slot_step` ON `link_messages` (`slot`, `step`);
-- create index "linkmessage_expires_at" to table: "link_messages"
CREATE INDEX `linkmessage_expires_at` ON `link_messages` (`expires_at`);
