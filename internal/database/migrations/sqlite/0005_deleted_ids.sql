-- +goose Up
-- create index "device_user_id" to table: "devices"
CREATE INDEX `device_user_id` ON `devices` (`user_id`);
-- create "deleted_ids" table
CREATE TABLE `deleted_ids` (`id` text NOT NULL, `deleted_at` integer NOT NULL, PRIMARY KEY (`id`));
