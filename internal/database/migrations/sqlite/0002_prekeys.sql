-- +goose Up
-- By hand: the columns are added in place. The draft made the table anew and copied every device.
ALTER TABLE `devices` ADD COLUMN `one_time_number` integer NOT NULL DEFAULT 0;
ALTER TABLE `devices` ADD COLUMN `kem_one_time_number` integer NOT NULL DEFAULT 0;
-- create "prekeys" table
CREATE TABLE `prekeys` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `kind` integer NOT NULL, `number` integer NOT NULL, `statement` blob NOT NULL, `created_at` integer NOT NULL, `device_id` text NOT NULL, CONSTRAINT `prekeys_devices_prekeys` FOREIGN KEY (`device_id`) REFERENCES `devices` (`id`) ON DELETE CASCADE);
-- create index "prekey_device_id_kind_number" to table: "prekeys"
CREATE UNIQUE INDEX `prekey_device_id_kind_number` ON `prekeys` (`device_id`, `kind`, `number`);
