//! Emojis: far more than a page holds, and with names that come more than once.

use serde_json::json;

use super::Owner;

/// Names, and how many emojis have a name of this kind.
const COUNT: u32 = 150;

pub(super) fn fill(owner: &mut Owner<'_>) {
    for at in 0..COUNT {
        let code = 0x1f600 + at;
        let mut emoji = json!({
            "name": format!("face-{at}"),
            "url": format!("https://emoji.example.com/unicode/{code:x}.png?v1"),
        });
        if at % 10 == 0 {
            emoji["aliases"] = json!([format!("smiley-{at}")]);
        }
        owner.put("emojis", &[], emoji);
    }
    // An organization's own emoji may have the name of another.
    for version in ["v1", "v2"] {
        let slug = &owner.organization.slug;
        let emoji = json!({
            "name": "face-7",
            "url": format!("https://emoji.example.com/{slug}/face-7.png?{version}"),
        });
        owner.put("emojis", &[], emoji);
    }
}
