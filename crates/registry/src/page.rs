//! Lists in pages, each with a token for the next.

use names::limits;
use store::{Direction, Entry, Store, prefix_end};

use crate::{RegistryError, table};

/// Which part of a list is wanted.
#[derive(Debug, Clone)]
pub struct PageRequest {
    /// The token of the page before; none for the first page.
    pub after: Option<String>,
    /// At most so many items; held within 1 and [`limits::PAGE_SIZE_MAX`].
    pub limit: usize,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { after: None, limit: limits::PAGE_SIZE_DEFAULT }
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// The token of the next page. None on the last page, also when that is full.
    pub next: Option<String>,
}

/// Walks the rows under `prefix` and gathers a page of what `item` makes of them; rows that it makes nothing of are
/// passed over. A page may end early, with a token, when very many rows were passed over.
pub(crate) fn list<T>(
    store: &dyn Store,
    prefix: &[u8],
    direction: Direction,
    request: &PageRequest,
    mut item: impl FnMut(&Entry) -> Result<Option<T>, RegistryError>,
) -> Result<Page<T>, RegistryError> {
    let limit = request.limit.clamp(1, limits::PAGE_SIZE_MAX);
    let mut last = request.after.as_deref().map(|token| from_token(token, prefix)).transpose()?;
    let mut items = Vec::new();
    let mut rows_left = ROWS_PER_PAGE_MAX;
    loop {
        let rows = rows_after(store, prefix, last.as_deref(), direction, limit + 1)?;
        let is_end = rows.len() <= limit;
        for row in rows {
            if let Some(item) = item(&row)? {
                if items.len() == limit {
                    return Ok(Page { items, next: last.as_deref().map(to_token) });
                }
                items.push(item);
            }
            last = Some(row.key);
            rows_left -= 1;
            if rows_left == 0 {
                return Ok(Page { items, next: last.as_deref().map(to_token) });
            }
        }
        if is_end {
            return Ok(Page { items, next: None });
        }
    }
}

fn rows_after(
    store: &dyn Store,
    prefix: &[u8],
    last: Option<&[u8]>,
    direction: Direction,
    limit: usize,
) -> Result<Vec<Entry>, RegistryError> {
    let end = prefix_end(prefix);
    Ok(match (last, direction) {
        (None, _) => store.range(prefix, &end, limit, direction)?,
        (Some(last), Direction::Forward) => store.range(&[last, b"\0"].concat(), &end, limit, direction)?,
        (Some(last), Direction::Backward) => store.range(prefix, last, limit, direction)?,
    })
}

/// A token is the last row's key in hex: it holds no secret, and a changed one leads nowhere but into the same list.
fn to_token(key: &[u8]) -> String {
    hex::encode(key.strip_prefix(table::ROOT).unwrap_or(key))
}

fn from_token(token: &str, prefix: &[u8]) -> Result<Vec<u8>, RegistryError> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(RegistryError::InvalidToken);
    }
    let rest = hex::decode(token).map_err(|_| RegistryError::InvalidToken)?;
    let key = [table::ROOT, &rest].concat();
    if key.starts_with(prefix) { Ok(key) } else { Err(RegistryError::InvalidToken) }
}

/// The longest key is an attribute's: 128 bytes of name, 800 of value, 128 of thing name.
const TOKEN_BYTES_MAX: usize = 4096;
/// Rows read for one page at most (ours: bounds the time of a filtered list).
const ROWS_PER_PAGE_MAX: usize = 10_000;

#[cfg(test)]
mod tests {
    use store::{Batch, MemoryStore};

    use super::*;

    fn pages(direction: Direction, limit: usize, keep: fn(u32) -> bool) -> Vec<Vec<u32>> {
        let store = MemoryStore::new();
        let batch = (0..10).fold(Batch::new(), |batch, n| batch.put(format!("registry/list/{n}"), ""));
        store.commit(batch.put("registry/lisa", "").put("registry/lisz", "")).wait().unwrap();
        let mut request = PageRequest { after: None, limit };
        let mut pages = Vec::new();
        loop {
            let page = list(&*store, b"registry/list/", direction, &request, |row| {
                let n = String::from_utf8(row.key.clone()).unwrap()["registry/list/".len()..].parse().unwrap();
                Ok(keep(n).then_some(n))
            });
            let page = page.unwrap();
            pages.push(page.items);
            request.after = page.next;
            if request.after.is_none() {
                return pages;
            }
        }
    }

    #[test]
    fn pages_follow_one_another_and_the_last_has_no_token() {
        use Direction::{Backward, Forward};
        let all = |_| true;
        assert_eq!(pages(Forward, 4, all), [vec![0, 1, 2, 3], vec![4, 5, 6, 7], vec![8, 9]]);
        assert_eq!(pages(Forward, 5, all), [vec![0, 1, 2, 3, 4], vec![5, 6, 7, 8, 9]], "also when it is full");
        assert_eq!(pages(Forward, 10, all).len(), 1);
        assert_eq!(pages(Forward, 250, all).len(), 1);
        assert_eq!(pages(Backward, 7, all), [vec![9, 8, 7, 6, 5, 4, 3], vec![2, 1, 0]]);
        assert_eq!(pages(Forward, 0, |n| n > 7), [vec![8], vec![9]], "the smallest page has one item");
        assert_eq!(pages(Forward, 2, |n| n % 3 == 1), [vec![1, 4], vec![7]], "rows passed over do not count");
        assert_eq!(pages(Backward, 2, |n| n % 5 == 0), [vec![5, 0]]);
        assert_eq!(pages(Forward, 3, |_| false), [Vec::<u32>::new()]);
    }

    #[test]
    fn tokens_of_other_lists_and_broken_ones_are_refused() {
        let check = |token: &str, valid: bool| {
            assert_eq!(from_token(token, b"registry/list/").is_ok(), valid, "{token}");
        };
        check(&to_token(b"registry/list/7"), true);
        check(&to_token(b"registry/other/7"), false);
        check(&to_token(b"shadow/list/7"), false);
        for bad in ["", "zz", "6", "é", &"6c".repeat(4096)] {
            check(bad, false);
        }
    }
}
