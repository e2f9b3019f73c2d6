import { Migration } from '@mikro-orm/migrations';

/** Who may come in. What a token's text is, nobody can read here: only its digest is kept. */
export default class KeepTokens extends Migration {
  override up(): void {
    this.addSql(`
      create table scopestate_tokens (
        id varchar(16) collate "C" not null,
        digest bytea not null,
        name text collate "C" not null,
        role varchar(9) not null,
        grants jsonb,
        created_at timestamp(6) without time zone not null,
        expires_at timestamp(6) without time zone,
        revoked_at timestamp(6) without time zone,
        constraint scopestate_tokens_pkey primary key (id),
        constraint scopestate_tokens_digest check (octet_length(digest) = 32),
        constraint scopestate_tokens_role check (role in ('reader', 'collector', 'operator', 'admin')),
        constraint scopestate_tokens_grants check ((role = 'admin') = (grants is null))
      )`);
    this.addSql(`
      comment on table scopestate_tokens is 'what callers come in with';
      comment on column scopestate_tokens.digest is 'SHA-256 of the whole text';
      comment on column scopestate_tokens.grants is 'patterns of units; null for an admin, who is granted all';
      comment on column scopestate_tokens.expires_at is 'null: never'`);
    this.addSql(
      `create unique index scopestate_tokens_name on scopestate_tokens (name) where revoked_at is null`,
    );
  }
}
