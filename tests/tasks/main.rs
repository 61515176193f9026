//! Stores and restores: every command over HTTP against the EC2 and S3 of the lab.

#[path = "../common/clients.rs"]
mod clients;
#[path = "../common/mod.rs"]
mod common;

mod between;
mod block_faults;
mod block_price;
mod block_servers;
mod blocks;
mod cost;
mod drill;
mod drill_recycle_bin;
mod edges_ec2;
mod edges_journal;
mod edges_outcome;
mod edges_preflight;
mod edges_restore;
mod edges_safe;
mod edges_words;
mod kept;
mod life;
mod policy;
mod proofs;
mod restore_conditions;
mod restore_ledger;
mod restore_list;
mod restore_list_proof;
mod restore_proof;
mod rig;
mod safe;
mod starting;
mod store_blocks;
mod store_conditions;
mod store_list;
mod stored;
mod wrong;
