-- +goose Up
-- create index "device_user_id" to table: "devices"
CREATE INDEX "device_user_id" ON "devices" ("user_id");
-- create "deleted_ids" table
CREATE TABLE "deleted_ids" ("id" character varying NOT NULL, "deleted_at" bigint NOT NULL, PRIMARY KEY ("id"));
