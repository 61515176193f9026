use proptest::prelude::*;

use super::*;
use crate::plan::{Concurrency, Limits};
use crate::units::{GIB, MIB};

const BUDGET: Budget = Budget {
    concurrency: 16,
    grow_to: 16,
    range_bytes: None,
    waiting_room: 160 * MIB,
    lanes_room: 10 * MIB,
    limits: Limits { concurrency: Concurrency::Adaptive, range_bytes: None, max_memory: 256 * MIB },
};

fn plan(size: u64, wanted: &[(Algorithm, PartLayout)]) -> ReadPlan {
    ReadPlan::new(size, wanted, BUDGET)
}

#[test]
fn by_part_and_folded_digests_need_no_order() {
    let parts = PartLayout::uniform(GIB + 5, 8 * MIB);
    let plan = plan(
        GIB + 5,
        &[
            (Algorithm::Md5, parts.clone()),
            (Algorithm::Crc64Nvme, PartLayout::whole(GIB + 5)),
            (Algorithm::Sha256, parts),
        ],
    );
    assert_eq!(plan.ranges().len(), 129);
    assert!(plan.ordered().is_empty());
    assert_eq!(plan.per_range(), [Algorithm::Crc64Nvme, Algorithm::Sha256, Algorithm::Md5]);
}

#[test]
fn large_parts_are_one_stream_each_where_their_digest_does_not_fold() {
    let parts = PartLayout::uniform(10 * GIB, GIB);
    assert_eq!(plan(10 * GIB, &[(Algorithm::Md5, parts.clone())]).ranges().len(), 10);
    assert_eq!(plan(10 * GIB, &[(Algorithm::Crc32c, parts)]).ranges().len(), 640);
}

#[test]
fn a_whole_hash_goes_in_order_and_its_ranges_fit_the_memory() {
    let whole = PartLayout::whole(10 * GIB);
    let plan = plan(10 * GIB, &[(Algorithm::Sha256, whole), (Algorithm::Md5, PartLayout::uniform(10 * GIB, GIB))]);
    assert_eq!(plan.ordered().len(), 2, "the large parts can no longer be ranges");
    assert!(plan.ranges().iter().all(|range| range.len() <= 10 * MIB));
}

#[test]
fn a_small_object_is_one_range_and_needs_no_order() {
    let plan = plan(5 * MIB, &[(Algorithm::Sha256, PartLayout::whole(5 * MIB))]);
    assert_eq!(plan.ranges().iter().collect::<Vec<_>>(), [ByteRange::whole(5 * MIB)]);
    assert!(plan.ordered().is_empty());
}

#[test]
fn other_candidates_go_in_order() {
    let size = 90 * MIB;
    let plan = plan(
        size,
        &[(Algorithm::Md5, PartLayout::uniform(size, 8 * MIB)), (Algorithm::Md5, PartLayout::uniform(size, 5 * MIB))],
    );
    assert_eq!(plan.ordered(), [Need { algorithm: Algorithm::Md5, layout: 1 }]);
}

#[test]
fn an_empty_object_has_one_empty_range() {
    let plan = plan(0, &[(Algorithm::Md5, PartLayout::whole(0))]);
    assert_eq!(plan.ranges().iter().collect::<Vec<_>>(), [ByteRange::whole(0)]);
    let digest = Hasher::digest(Algorithm::Md5, b"");
    let digests = plan.fold_ranges(|_, _| Some(digest));
    assert_eq!(digests[0].1, vec![Some(digest)]);
}

#[test]
fn ranges_asked_for_are_not_endless() {
    let budget = Budget { range_bytes: Some(4096), ..BUDGET };
    let whole = [(Algorithm::Crc32, PartLayout::whole(50_000 * GIB))];
    let plan = ReadPlan::new(50_000 * GIB, &whole, budget);
    assert!((900_000..=1_000_000).contains(&plan.ranges().len()), "{}", plan.ranges().len());
    assert_eq!(ReadPlan::new(GIB, &whole, budget).ranges().len(), 262_144);
}

/// An interrupted read loses the ranges in flight, so ranges grow only when they must.
#[test]
fn ranges_have_the_usual_size_as_long_as_their_digests_have_room() {
    let of = |size, max_memory, algorithms: &[Algorithm]| {
        let budget = Limits { max_memory, ..Limits::default() }.budget().unwrap();
        let wanted: Vec<_> = algorithms.iter().map(|algorithm| (*algorithm, PartLayout::whole(size))).collect();
        let plan = ReadPlan::new(size, &wanted, budget);
        assert_eq!(plan.fits(budget), Ok(()));
        assert!(plan.ordered().is_empty());
        plan.ranges().get(0).unwrap().len()
    };
    let crcs = [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme];
    let usual = 16 * MIB;
    for size in [GIB, 160 * GIB, 1 << 40, 4 << 40, 10 << 40] {
        assert_eq!(of(size, 256 * MIB, &crcs[..1]), usual, "{size}");
        assert_eq!(of(size, 256 * MIB, &crcs[2..]), usual, "{size}");
    }
    assert_eq!(of(4 << 40, 256 * MIB, &crcs), usual);
    assert_eq!(of(15 << 40, 256 * MIB, &crcs[..1]), usual);
    assert_eq!(of(1 << 40, 64 * MIB, &crcs[2..]), usual);
    let larger = of(15 << 40, 64 * MIB, &crcs[2..]);
    assert!((usual + 1..256 * MIB).contains(&larger), "{larger}");
}

/// Pieces end where parts end, also if nearly every part has an extra piece.
#[test]
fn pieces_of_parts_have_room_as_well() {
    for part in [17 * MIB, 129 * MIB, GIB + 1] {
        let size = part * 9_999 + 5;
        for max_memory in [48 * MIB, 64 * MIB, 256 * MIB] {
            let budget = Limits { max_memory, ..Limits::default() }.budget().unwrap();
            let layouts = [PartLayout::uniform(size, part), PartLayout::whole(size)];
            let wanted = layouts.map(|layout| (Algorithm::Crc64Nvme, layout));
            let plan = ReadPlan::new(size, &wanted, budget);
            assert_eq!(plan.fits(budget), Ok(()), "{part} in {max_memory}");
            assert_eq!((plan.ordered().len(), plan.ranges().ends_at(part)), (0, true));
        }
    }
}

/// Sizes beyond all S3 limits, as a HEAD response may state and a sparse file may have.
const ABSURD: [u64; 4] = [4 << 40, 10 << 40, (1 << 63) - 1, u64::MAX];

/// A list of ranges would have up to 2^48 entries here.
#[test]
fn the_memory_of_a_reading_does_not_go_by_the_size_of_the_object() {
    let budget = Limits { max_memory: 64 * MIB, ..Limits::default() }.budget().unwrap();
    for size in ABSURD {
        let whole = |algorithm| (algorithm, PartLayout::whole(size));
        let parts = |algorithm| (algorithm, PartLayout::uniform(size, size.div_ceil(10_000)));
        for wanted in [
            vec![whole(Algorithm::Sha256)],
            vec![whole(Algorithm::Crc64Nvme)],
            vec![whole(Algorithm::Sha256), whole(Algorithm::Crc64Nvme)],
            vec![parts(Algorithm::Md5)],
            vec![parts(Algorithm::Md5), whole(Algorithm::Sha256), whole(Algorithm::Crc32)],
            vec![],
        ] {
            for range_bytes in [None, Some(4096)] {
                let budget = Budget { range_bytes, ..budget };
                for new in [ReadPlan::new, ReadPlan::in_order, ReadPlan::of_sample] {
                    let plan = new(size, &wanted, budget);
                    assert_eq!(plan.fits(budget), Ok(()), "{size}: {wanted:?}");
                    assert!(plan.state_bytes <= budget.waiting_room, "{size}: {wanted:?}");
                    let last = plan.ranges().get(plan.ranges().len() - 1);
                    assert_eq!(last.map(ByteRange::end), Some(size));
                    plan.fingerprint();
                }
            }
        }
    }
}

#[test]
fn too_many_ranges_for_their_digests_go_in_order_without_any() {
    let size = 4 << 40;
    let whole = [Algorithm::Crc64Nvme, Algorithm::Sha256].map(|algorithm| (algorithm, PartLayout::whole(size)));
    let plan = plan(size, &whole);
    assert_eq!((plan.per_range(), plan.ordered().len()), (&[][..], 2));
    let small = ReadPlan::new(GIB, &whole.map(|(algorithm, _)| (algorithm, PartLayout::whole(GIB))), BUDGET);
    assert_eq!((small.per_range(), small.ordered().len()), (&[Algorithm::Crc64Nvme][..], 1));
}

#[test]
fn what_does_not_fit_is_refused_and_what_is_needed_then_fits() {
    let size = 1 << 43;
    let layouts = (0..8).map(|more| PartLayout::uniform(size, size.div_ceil(10_000) + more * 8));
    let wanted: Vec<_> = layouts.map(|layout| (Algorithm::Md5, layout)).collect();
    let of = |max_memory| {
        let budget = Limits { max_memory, ..Limits::default() }.budget().unwrap();
        ReadPlan::new(size, &wanted, budget).fits(budget)
    };
    let refused = of(40 * MIB).unwrap_err();
    assert_eq!(refused.max_memory, 40 * MIB);
    assert!(refused.to_string().contains("at least"), "{refused}");
    assert_eq!(of(refused.needed), Ok(()));
    assert!(of(refused.needed - 4 * MIB).is_err(), "{refused}");
    assert_eq!(of(256 * MIB), Ok(()));
    // More parts than can be counted are refused without an attempt.
    let endless = [(Algorithm::Md5, PartLayout::uniform(u64::MAX, 1))];
    let budget = Budget::default();
    assert!(ReadPlan::new(u64::MAX, &endless, budget).fits(budget).is_err());
}

#[test]
fn a_sample_is_not_cut_small_for_what_would_go_in_order() {
    let whole = [(Algorithm::Sha256, PartLayout::whole(10 * GIB))];
    let plan = ReadPlan::of_sample(10 * GIB, &whole, BUDGET);
    assert_eq!((plan.ranges().len(), plan.needs().count()), (640, 0));
}

#[test]
fn a_part_of_very_many_ranges_folds_like_any_other() {
    let data: Vec<u8> = (0..20_000_u32).map(|at| (at * 31 / 7) as u8).collect();
    let budget = Budget { range_bytes: Some(7), ..BUDGET };
    let plan = ReadPlan::new(20_000, &[(Algorithm::Crc64Nvme, PartLayout::whole(20_000))], budget);
    assert_eq!(plan.ranges().len(), 2858);
    let slice = |range: ByteRange| &data[range.start() as usize..range.end() as usize];
    let of = |index| Some(Hasher::digest(Algorithm::Crc64Nvme, slice(plan.ranges().get(index)?)));
    assert_eq!(plan.fold_ranges(|index, _| of(index))[0].1, [Some(Hasher::digest(Algorithm::Crc64Nvme, &data))]);
    let holed = plan.fold_ranges(|index, _| of(index).filter(|_| index != 2000));
    assert_eq!(holed[0].1, [None]);
}

#[test]
fn the_needed_memory_suffices_although_the_plan_changes_with_it() {
    let size = 43_579;
    let layouts = [1615, 7264, 2906].map(|parts| PartLayout::uniform(size, size.div_ceil(parts)));
    let layouts: Vec<PartLayout> = layouts.into_iter().chain([PartLayout::whole(size)]).collect();
    let algorithms = [Algorithm::Sha1, Algorithm::Xxh3, Algorithm::Xxh128];
    let wanted: Vec<_> =
        algorithms.iter().flat_map(|algorithm| layouts.iter().map(|layout| (*algorithm, layout.clone()))).collect();
    let of = |max_memory| Limits { max_memory, ..Limits::default() }.budget().unwrap();
    let needed = ReadPlan::new(size, &wanted, of(33 * MIB)).fits(of(33 * MIB)).unwrap_err().needed;
    assert_eq!(ReadPlan::new(size, &wanted, of(needed)).fits(of(needed)), Ok(()));
    let plan = ReadPlan::new(size, &wanted, of(needed - MIB));
    assert!(plan.fits(of(needed - MIB)).is_err(), "no more than needed is asked for");
}

fn wanted() -> impl Strategy<Value = (u64, Vec<(Algorithm, PartLayout)>)> {
    (
        proptest::collection::vec(0u64..3000, 1..40),
        proptest::sample::subsequence(Algorithm::ALL.to_vec(), 0..5),
        1u64..4000,
    )
        .prop_map(|(sizes, algorithms, part)| {
            let size = sizes.iter().sum();
            let layouts = [
                PartLayout::from_sizes(size, sizes).unwrap(),
                PartLayout::whole(size),
                PartLayout::uniform(size, part),
            ];
            let wanted =
                algorithms.iter().enumerate().map(|(i, algorithm)| (*algorithm, layouts[i % 3].clone())).collect();
            (size, wanted)
        })
}

proptest! {
    /// For any size, part sizes and memory, a plan is made at once and either fits or states the memory it
    /// needs.
    #[test]
    fn any_plan_fits_or_says_what_is_needed(
        size in prop_oneof![0u64..100_000, any::<u64>()],
        parts in proptest::collection::vec(1u64..12_000, 0..4),
        algorithms in proptest::sample::subsequence(Algorithm::ALL.to_vec(), 0..5),
        mib in 33u64..300,
        range_bytes in proptest::option::of(4096u64..1 << 40),
        at in any::<u64>(),
    ) {
        let limits = Limits { max_memory: mib * MIB, range_bytes, ..Limits::default() };
        let budget = limits.budget().unwrap();
        let layouts = parts.iter().map(|parts| PartLayout::uniform(size, size.div_ceil(*parts)));
        let layouts: Vec<PartLayout> = layouts.chain([PartLayout::whole(size)]).collect();
        let wanted: Vec<_> = algorithms
            .iter()
            .flat_map(|algorithm| layouts.iter().map(move |layout| (*algorithm, layout.clone())))
            .collect();
        for new in [ReadPlan::new, ReadPlan::in_order, ReadPlan::of_sample] {
            let plan = new(size, &wanted, budget);
            match plan.fits(budget) {
                Ok(()) => prop_assert!(plan.state_bytes <= budget.waiting_room + state::uncounted(budget)),
                Err(error) => {
                    let limits = Limits { max_memory: error.needed, ..limits };
                    let more = limits.budget().unwrap();
                    prop_assert_eq!(new(size, &wanted, more).fits(more), Ok(()));
                }
            }
            let last = plan.ranges().get(plan.ranges().len() - 1);
            prop_assert_eq!(last.map(ByteRange::end), Some(size));
            let offset = if size == 0 { 0 } else { at % size };
            let touching = plan.ranges_touching(ByteRange::new(offset, (offset + 1).min(size)).unwrap());
            prop_assert_eq!(touching.len(), usize::from(size > 0));
            let own = plan.ranges().get(touching.start);
            prop_assert!(own.is_some_and(|own| size == 0 || (own.start()..own.end()).contains(&offset)));
        }
    }

    #[test]
    fn ranges_cover_the_object_once((size, wanted) in wanted(), range_bytes in proptest::option::of(1u64..5000)) {
        let plan = ReadPlan::new(size, &wanted, Budget { range_bytes, ..BUDGET });
        let mut at = 0;
        for range in plan.ranges().iter() {
            prop_assert_eq!(range.start(), at);
            at = range.end();
        }
        prop_assert_eq!(at, size);
    }

    #[test]
    fn folded_digests_equal_direct_ones((size, wanted) in wanted(), range_bytes in proptest::option::of(1u64..5000)) {
        let data: Vec<u8> = (0..size).map(|i| (i.wrapping_mul(0x9E37_79B9) >> 11) as u8).collect();
        let slice = |range: ByteRange| &data[range.start() as usize..range.end() as usize];
        let plan = ReadPlan::new(size, &wanted, Budget { range_bytes, ..BUDGET });
        let of_ranges: Vec<Vec<Digest>> = plan
            .ranges()
            .iter()
            .map(|range| plan.per_range().iter().map(|a| Hasher::digest(*a, slice(range))).collect())
            .collect();
        let folded = plan.fold_ranges(|index, column| of_ranges.get(index)?.get(column).copied());
        prop_assert_eq!(folded.len() + plan.ordered().len(), {
            let mut distinct: Vec<_> = Vec::new();
            for one in &wanted { if !distinct.contains(one) { distinct.push(one.clone()); } }
            distinct.len()
        });
        for (need, digests) in folded {
            let layout = plan.layout(need).unwrap();
            let direct: Vec<_> = layout.parts().map(|part| Some(Hasher::digest(need.algorithm, slice(part)))).collect();
            prop_assert_eq!(digests, direct);
        }
    }
}

#[test]
fn ranges_that_share_bytes_touch() {
    let plan = plan(40 * MIB, &[(Algorithm::Md5, PartLayout::uniform(40 * MIB, 10 * MIB))]);
    let touching = |start, end| plan.ranges_touching(ByteRange::new(start, end).unwrap());
    assert_eq!(touching(10 * MIB, 20 * MIB), 1..2);
    assert_eq!(touching(10 * MIB - 1, 20 * MIB + 1), 0..3);
    assert_eq!(touching(39 * MIB, 40 * MIB), 3..4);
    assert_eq!(touching(40 * MIB, 40 * MIB), 4..4);
    assert_eq!((plan.size(), plan.needs().count()), (40 * MIB, 1));
}

#[test]
fn the_fingerprint_tells_plans_apart() {
    let layout = |part| PartLayout::uniform(40 * MIB, part);
    let print = |wanted: &[(Algorithm, PartLayout)]| plan(40 * MIB, wanted).fingerprint();
    let one = print(&[(Algorithm::Md5, layout(8 * MIB))]);
    assert_eq!(one, print(&[(Algorithm::Md5, layout(8 * MIB))]));
    for other in [
        print(&[(Algorithm::Sha1, layout(8 * MIB))]),
        print(&[(Algorithm::Md5, layout(5 * MIB))]),
        print(&[(Algorithm::Md5, layout(8 * MIB)), (Algorithm::Sha1, layout(8 * MIB))]),
        print(&[(Algorithm::Md5, layout(8 * MIB)), (Algorithm::Md5, layout(5 * MIB))]),
    ] {
        assert_ne!(one, other);
    }
}

#[test]
fn ranges_follow_the_layout_that_most_digests_go_by() {
    let (most, other, size) =
        (PartLayout::uniform(40 * MIB, 8 * MIB), PartLayout::uniform(40 * MIB, 5 * MIB), 40 * MIB);
    let wanted = [(Algorithm::Md5, other), (Algorithm::Md5, most.clone()), (Algorithm::Sha1, most.clone())];
    assert_eq!(main_layout(&[wanted[0].1.clone(), most.clone()], &needs_of(&[(0, 0), (0, 1), (1, 1)])), Some(1));
    assert_eq!(main_layout(&[PartLayout::whole(size)], &needs_of(&[(0, 0)])), None, "one part is no layout");
    let plan = plan(size, &wanted);
    assert!(plan.ordered().iter().all(|need| plan.layout(*need) != Some(&most)));
}

fn needs_of(list: &[(usize, usize)]) -> Vec<Need> {
    let algorithms = [Algorithm::Md5, Algorithm::Sha1];
    list.iter().map(|(algorithm, layout)| Need { algorithm: algorithms[*algorithm], layout: *layout }).collect()
}

#[test]
fn bytes_in_order_come_in_ranges_that_fit_the_room() {
    let parts = [(Algorithm::Md5, PartLayout::uniform(GIB, 512 * MIB))];
    assert_eq!(ReadPlan::new(GIB, &parts, BUDGET).ranges().len(), 2);
    let plan = ReadPlan::in_order(GIB, &parts, BUDGET);
    assert!(plan.ranges().iter().all(|range| range.len() <= 10 * MIB));
}
