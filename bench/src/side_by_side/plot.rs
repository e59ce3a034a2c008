//! A plot as SVG: CPU per call over load, one line a subject.

use std::fmt::Write;

/// Points of one subject, in the order they were added.
#[derive(Clone, Debug)]
pub struct Line {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

/// Lines over the same axes.
#[derive(Clone, Debug, Default)]
pub struct Plot {
    pub lines: Vec<Line>,
}

const WIDTH: f64 = 820.0;
const HEIGHT: f64 = 440.0;
/// Room beside the axes: left, right, top, bottom.
const LEFT: f64 = 70.0;
const RIGHT: f64 = 190.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 56.0;
/// Colours that can be told apart, in light and in dark surroundings alike; a colour and a dash a line.
const COLOURS: [&str; 5] = ["#d1495b", "#2a8fbd", "#e08e45", "#3aa17e", "#8a8f98"];
const DASHES: [&str; 5] = ["", "", "7 4", "7 4", "2 3"];
/// Text and axes: readable on white and on black.
const INK: &str = "#80868f";
/// Lowest distance of two names at the right end.
const NAME_HEIGHT: f64 = 17.0;
/// Lines of the grid, about.
const GRID: f64 = 5.0;

impl Plot {
    /// Adds a point to the line of that name.
    pub fn add(&mut self, name: &str, x: f64, y: f64) {
        match self.lines.iter_mut().find(|line| line.name == name) {
            Some(line) => line.points.push((x, y)),
            None => self.lines.push(Line { name: name.to_owned(), points: vec![(x, y)] }),
        }
    }

    /// The whole picture, without a background of its own.
    pub fn svg(&self, title: &str, across: &str, up: &str) -> String {
        let all = || self.lines.iter().flat_map(|line| line.points.iter().copied());
        let (right, top) = (end_of_axis(all().map(|(x, _)| x)), end_of_axis(all().map(|(_, y)| y)));
        let place = |(x, y): (f64, f64)| (LEFT + x / right * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - y / top * (HEIGHT - TOP - BOTTOM));
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"13\" \
             fill=\"{INK}\">\n<title>{title}</title>\n<text x=\"{LEFT}\" y=\"22\" font-size=\"15\" font-weight=\"bold\">{title}</text>\n"
        );
        grid(&mut out, right, top, place);
        let (middle, low) = place((right / 2.0, 0.0));
        let _ = writeln!(out, "<text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{across}</text>", low + 40.0);
        let (_, half) = place((0.0, top / 2.0));
        let _ = writeln!(out, "<text transform=\"translate(18 {half:.1}) rotate(-90)\" text-anchor=\"middle\">{up}</text>");
        for (number, line) in self.lines.iter().enumerate() {
            draw(&mut out, number, line, place);
        }
        self.names(&mut out, place);
        out.push_str("</svg>\n");
        out
    }

    /// Each line's name at its right end; pushed apart where they would touch.
    fn names(&self, out: &mut String, place: impl Fn((f64, f64)) -> (f64, f64)) {
        let ends = self.lines.iter().enumerate().filter_map(|(number, line)| Some((number, line, place(*line.points.last()?))));
        let mut ends: Vec<_> = ends.collect();
        ends.sort_by(|(_, _, one), (_, _, other)| one.1.total_cmp(&other.1));
        let room = (ends.len() as f64 - 1.0) * NAME_HEIGHT;
        let mut lowest = TOP;
        for (passed, (number, line, (x, y))) in ends.into_iter().enumerate() {
            let left = room - passed as f64 * NAME_HEIGHT;
            let at = y.max(lowest).min(HEIGHT - BOTTOM - left);
            lowest = at + NAME_HEIGHT;
            let colour = COLOURS[number % COLOURS.len()];
            let _ = writeln!(out, "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{}</text>", x + 10.0, at + 4.0, line.name);
        }
    }
}

fn grid(out: &mut String, right: f64, top: f64, place: impl Fn((f64, f64)) -> (f64, f64)) {
    let (first, low) = place((0.0, 0.0));
    let (last, high) = place((right, top));
    for x in marks(right) {
        let (at, _) = place((x, 0.0));
        let _ = writeln!(out, "<path d=\"M{at:.1} {low:.1}V{high:.1}\" stroke=\"{INK}\" stroke-opacity=\"0.25\"/>");
        let _ = writeln!(out, "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{x:.0}</text>", low + 18.0);
    }
    for y in marks(top) {
        let (_, at) = place((0.0, y));
        let _ = writeln!(out, "<path d=\"M{first:.1} {at:.1}H{last:.1}\" stroke=\"{INK}\" stroke-opacity=\"0.25\"/>");
        let _ = writeln!(out, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{y:.0}</text>", first - 8.0, at + 4.0);
    }
    let _ = writeln!(out, "<path d=\"M{first:.1} {high:.1}V{low:.1}H{last:.1}\" stroke=\"{INK}\" fill=\"none\"/>");
}

fn draw(out: &mut String, number: usize, line: &Line, place: impl Fn((f64, f64)) -> (f64, f64)) {
    let (colour, dash) = (COLOURS[number % COLOURS.len()], DASHES[number % DASHES.len()]);
    let path: Vec<String> = line.points.iter().map(|point| place(*point)).map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
    let _ = writeln!(
        out,
        "<path d=\"M{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2.5\" stroke-dasharray=\"{dash}\" stroke-linejoin=\"round\"/>",
        path.join("L")
    );
    for point in &line.points {
        let (x, y) = place(*point);
        let _ = writeln!(
            out,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{colour}\"><title>{}: {:.1}</title></circle>",
            line.name, point.1
        );
    }
}

/// The distance of the marks of an axis that ends about there: 1, 2 or 5 times a power of ten.
fn step(end: f64) -> f64 {
    let raw = (end / GRID).max(f64::MIN_POSITIVE);
    let power = 10_f64.powf(raw.log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| *step >= raw).unwrap_or(10.0 * power)
}

/// The first mark that no value exceeds.
fn end_of_axis(values: impl Iterator<Item = f64>) -> f64 {
    let most = values.fold(0.0, f64::max).max(1.0);
    (most / step(most)).ceil() * step(most)
}

fn marks(end: f64) -> impl Iterator<Item = f64> {
    let step = step(end);
    (0..=(end / step).round() as u32).map(move |mark| f64::from(mark) * step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_a_round_mark_that_holds_every_value() {
        for (most, end) in [(2_000.0, 2_000.0), (417.0, 500.0), (73.0, 80.0), (0.0, 1.0), (1_001.0, 1_500.0)] {
            assert_eq!(end_of_axis([most, most / 2.0].into_iter()), end);
        }
        assert_eq!(marks(500.0).collect::<Vec<f64>>(), [0.0, 100.0, 200.0, 300.0, 400.0, 500.0]);
    }

    #[test]
    fn every_subject_has_a_line_with_its_points_and_its_name_within_the_picture() {
        let mut plot = Plot::default();
        for (name, level) in [("one", 400.0), ("two", 90.0), ("three", 88.0), ("four", 1.0), ("five", 0.0)] {
            for load in [200.0, 800.0, 2_000.0] {
                plot.add(name, load, level);
            }
        }
        let svg = plot.svg("Title", "calls a second", "µs");
        assert_eq!((svg.matches("<circle").count(), svg.matches("stroke-width=\"2.5\"").count()), (15, 5));
        let names: Vec<f64> = ["one", "two", "three", "four", "five"]
            .iter()
            .filter_map(|name| {
                svg.lines().find(|line| line.ends_with(&format!(">{name}</text>")))?.split("y=\"").nth(1)?.split('"').next()?.parse().ok()
            })
            .collect();
        assert_eq!(names.len(), 5);
        for (number, one) in names.iter().enumerate() {
            assert!((TOP..HEIGHT - BOTTOM + 5.0).contains(one), "{names:?}");
            assert!(names.iter().skip(number + 1).all(|other| (one - other).abs() >= NAME_HEIGHT - 0.1), "{names:?}");
        }
    }
}
