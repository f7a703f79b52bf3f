//! A path as a sequence drawing: a line down for each client and the server, an arrow for each packet.

use super::scenario::Role;
use super::system::{Action, System, Who};
use std::fmt::Write as _;

const COLUMN: usize = 230;
const ROW: usize = 26;
const TOP: usize = 40;
/// Room for what the server does by itself.
const MARGIN: usize = 180;

/// Strokes are light: the explorer's panel is dark.
const STYLE: &str = "<style>text{font:12px sans-serif;fill:#eee}line,path{stroke:#ccc;stroke-width:1}\
                     .life{stroke:#777;stroke-dasharray:3}.lost{stroke:#f88}</style>\
                     <defs><marker id='tip' markerWidth='9' markerHeight='8' refX='8' refY='4' orient='auto'>\
                     <path d='M0,0 L8,4 L0,8 z' fill='#ccc'/></marker></defs>";

impl System {
    /// The drawing of these actions, from top to bottom. The server stands in the last column.
    pub(super) fn drawing(&self, actions: &[Action]) -> String {
        let roles: Vec<&Role> = self.scenario.clients.iter().flatten().collect();
        let column = |index: usize| index * COLUMN + COLUMN / 2;
        let of = |who: Who| {
            let before: usize = self.scenario.clients[..who.identity].iter().map(Vec::len).sum();
            column(before + who.actor)
        };
        let server = column(roles.len());
        let (width, height) = ((roles.len() + 1) * COLUMN + MARGIN, TOP + (actions.len() + 1) * ROW);
        let mut svg =
            format!("<svg version='1.1' viewBox='0 0 {width} {height}' xmlns='http://www.w3.org/2000/svg'>{STYLE}");
        let names = roles.iter().map(|role| role.name).chain(["server"]);
        for (index, name) in names.enumerate() {
            let x = column(index);
            text(&mut svg, x, TOP - 20, "middle", name);
            line(&mut svg, "life", (x, TOP - 12), (x, height), "");
        }
        for (index, action) in actions.iter().enumerate() {
            let y = TOP + (index + 1) * ROW;
            let label = self.label(action);
            let packet =
                label.split_once(" -> ").or(label.split_once(" <- ")).map_or(label.as_str(), |(_, packet)| packet);
            match action {
                Action::Send(who, ..) => {
                    line(&mut svg, "", (of(*who), y), (server, y), "url(#tip)");
                    text(&mut svg, of(*who) + 8, y - 5, "start", packet);
                }
                Action::Emit(identity, emission, ..) => {
                    let who = self.holder(*identity, self.emissions.get(*emission).0);
                    line(&mut svg, "", (server, y), (of(who), y), "url(#tip)");
                    text(&mut svg, server - 8, y - 5, "end", packet);
                }
                Action::Break(who, _) => {
                    let x = of(*who);
                    line(&mut svg, "lost", (x - 6, y - 6), (x + 6, y + 6), "");
                    line(&mut svg, "lost", (x - 6, y + 6), (x + 6, y - 6), "");
                    text(&mut svg, x + 12, y + 4, "start", packet);
                }
                Action::Take(..)
                | Action::Discard(..)
                | Action::Notice(..)
                | Action::PublishWill(..)
                | Action::Pass(_) => text(&mut svg, server + 8, y, "start", short(packet)),
            }
        }
        svg + "</svg>"
    }
}

/// What the server does by itself stands beside its line: without saying who.
fn short(label: &str) -> &str {
    label.trim_start().trim_start_matches("server ")
}

fn text(svg: &mut String, x: usize, y: usize, anchor: &str, content: &str) {
    let content = content.replace('&', "&amp;").replace('<', "&lt;");
    // Writing to a String cannot fail.
    let _ = write!(svg, "<text x='{x}' y='{y}' text-anchor='{anchor}'>{content}</text>");
}

fn line(svg: &mut String, class: &str, from: (usize, usize), to: (usize, usize), marker: &str) {
    let ((x1, y1), (x2, y2)) = (from, to);
    let _ = write!(svg, "<line class='{class}' x1='{x1}' y1='{y1}' x2='{x2}' y2='{y2}' marker-end='{marker}'/>");
}
