<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN" sourcelanguage="en">
<context>
    <name>BatchView</name>
    <message>
        <source>Four cousins</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pick a picture</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Motion map</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>noise {noise}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>not made yet</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The same clip with more motion from row to row, and more noise augmentation from column to column. Choose one to take its values.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>low motion</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>medium motion</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>high motion</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>extreme motion</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{motion}, noise augmentation {noise}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>seed {seed}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The same clip from four seeds. Choose one to look at it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Four pictures for the same prompt. The one that you choose becomes a clip.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>BinBar</name>
    <message numerus="yes">
        <source>Delete %n clip(s) for good? This cannot be undone.</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>Delete for good</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Keep</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This is the bin. A clip in it can be put back.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Back to the library</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Empty the bin</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Empty the bin ({size})</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>ClipActions</name>
    <message>
        <source>Choose the other clip in the library.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save the frame</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>PNG picture (*.png)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is no finished clip to export. Choose one in the library.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Export the clip</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Saved as {name}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show in folder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Start from a picture</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pictures (*.png *.jpg *.jpeg *.webp *.bmp *.tif *.tiff)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Keep clips in</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Use its settings</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Continue from its last frame</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Start from its first frame</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Compare with the clip that is shown</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>ClipDetails</name>
    <message>
        <source>Made</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Size</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Frames</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>key frame only</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Seed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Model</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Took</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A newer kvdesk made this clip. Update kvdesk to go on with it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Note</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{seconds} s</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{minutes} min {seconds} s</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not the same as the form</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Same as the form</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Form: {value}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Use</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Use {field}: {value}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Details</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Close the details</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Use all</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>ClipMenu</name>
    <message>
        <source>Show</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Use its settings</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Continue from its last frame</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Smooth to 8 frames a second</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Smooth to 32 frames a second</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Animate</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Compare with the one that is shown</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Compare the two</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Export …</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show in folder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Star</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Take the star away</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Delete</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Put back</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>CompareCanvas</name>
    <message>
        <source>Comparison of two clips</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Wipe at {percent} %. The arrow keys move it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{label} is shown. B shows the other one.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Side by side. B shows one in the place of the other.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This frame cannot be read: its file is damaged or gone.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>CompareView</name>
    <message>
        <source>Compare two clips</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Back</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How the clips are shown</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Side by side</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Wipe</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Blink</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>One in the place of the other (B)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Swap the sides</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Vote blind</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Hides the names and shuffles the clips.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Which one is better? You will see then which was which.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The first</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The second</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No difference</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Both clips were made with the same settings.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>First</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Second</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>B</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{letter}: {title}</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>{letter}: %n frame(s) at {rate} a second</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>Locked to the same frame.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Locked by time: each shows the frame nearest to the same moment.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The first was {first}, the second was {second}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>You saw no difference. {which}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>You chose {winner}. {which}</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>ComposePanel</name>
    <message>
        <source>How much time to take</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Few frames and few steps, to try things out</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What the model is usually used with</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Four times as many frames; takes longest</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>2 fps draft</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>8 fps</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>32 fps</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Start from a picture</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>optional</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>%n frame(s), {seconds} s</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>Part of the picture</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove the picture</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Keep the seed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Let the seed change</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose a picture</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pictures ({endings})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>CropFrame</name>
    <message>
        <source>Part of the picture</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Drag the frame or its corners. Arrow keys move it, plus and minus size it; with Shift, further. A double click takes the middle.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>DifferencesTable</name>
    <message>
        <source>Setting</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>B</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Settings that differ</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Duration</name>
    <message>
        <source>less than a second</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>about {seconds} s</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>about {minutes} min</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>about {minutes} min {seconds} s</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>about {hours} h</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>about {hours} h {minutes} min</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>EmptyStage</name>
    <message>
        <source>Type what you want to see, or drop a picture here.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Or begin with one of these:</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>EngineClient</name>
    <message>
        <source>This is too long for the engine. Use a shorter text.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>ExportSheet</name>
    <message>
        <source>Export</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The file will have about {size}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fits: the file will have {size}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>For that its pictures become {width} pixels wide.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Exporting …</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Working out the file&apos;s size …</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>An MP4 cannot say so itself: the player has to be told to loop.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Looking for the best quality that fits …</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save as {kind} …</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>PNG pictures</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Once</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Loop</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Boomerang</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Small</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Good</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Best</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save as</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>MP4 plays everywhere; GIF and WebP in web pages.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Size</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Width and height of the pictures.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Plays</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Speed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>At 2 × the clip takes half as long.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Quality</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Better pictures make a larger file.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fit under</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Finds the best quality whose file is not larger than this.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Largest size of the file</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fit</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Exporter</name>
    <message>
        <source>The clip is saved as soon as the one that is being made is done.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} could not be saved. Is there room, and may you write there?</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Saved as {name}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The clip is not in the library any more.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Files</name>
    <message>
        <source>{name} is not there any more.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} is a folder. Choose a file in it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} is a device or a pipe. Choose a file.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} cannot be read. Do you have the right to open it?</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} is larger than 1 MiB. Choose a text file with a prompt in each line.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} is not a text in UTF-8. Save it in this encoding, or choose another file.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} has no words in it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} has more than {limit} prompts. Divide it into several files.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Form</name>
    <message>
        <source>Settings of a clip</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>New seed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Negative prompt</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Picture</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Size</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Smoothness</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Motion</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Noise augmentation</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Key frame guidance</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Prompt guidance</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Image guidance</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>In-between guidance</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Seed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Steps</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>In-between steps</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Sampler</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Model</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What the clip shows.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What the clip keeps away from.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The clip begins with it. Without one, it is drawn from the prompt.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Width and height of the clip, in pixels.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How smoothly the clip runs. It lasts five and a half seconds in any case.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How much moves in the clip.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How freely the clip departs from its first picture.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How closely the first picture keeps to the prompt.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How closely the clip keeps to the prompt.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How closely the clip keeps to its first picture.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How closely the frames in between keep to the prompt.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Where chance begins. The same seed and settings give the same clip.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How often the picture is refined. More steps take longer.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How often the frames in between are refined.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The way of refining. DPM-Solver++ and UniPC need fewer steps.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What draws the clip.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{width} × {height}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>none</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{number} frames a second (draft)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{number} frames a second</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>low</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>medium</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>high</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>extreme</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name}, {width} × {height} of it</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Quick look</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Standard</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Smooth</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is no model yet. It takes a moment after the start.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Say what the clip shows, or add a picture.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Width and height must be multiples of {step} pixels.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The picture is smaller than the clip, so it is enlarged.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This model was trained on {width} × {height} pixels only.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Larger than what the model was trained on: things may repeat.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Smaller than what the model was trained on: things may fall apart.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>More oblong than what the model was trained on: things may repeat.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Above {limit} the clip leaves its first picture behind.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Below {limit} it pushes the other way.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>More than twice the usual {usual}: colours may become harsh.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>With fewer than {limit} steps the clip looks rough.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>More than {limit} steps take longer and look no better.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>FormQuestions</name>
    <message>
        <source>There is no model that could make a clip. Install kvdesk again, or prepare a model in the settings.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The model {wanted} is not there any more. {used} is used.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>FullScreen</name>
    <message>
        <source>Full screen</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>GenerateBar</name>
    <message>
        <source>Save changes</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Add to the queue</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Generate</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancel editing</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Make several at once</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Four cousins</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The same settings with four seeds.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Four pictures to pick from</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Only the first pictures; the one you click becomes a clip.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Motion map</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Small drafts of every motion, beside one another.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Looking…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fits:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{needed} of {free} GB free</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>May not fit:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>needs {needed}, {free} GB free</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>time is known after the first clip</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{memory} · {duration}</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>HelpPage</name>
    <message>
        <source>Help and shortcuts</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How a clip is made</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Everywhere</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>In the clip</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>In the queue and the library</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Say in a sentence what the clip shows, or drop a picture that it begins with, and press Generate. First a still picture is drawn, then it is set in motion, and then frames are put in between until it is smooth.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Make a draft at 2 frames a second first: it takes the least time. If you like it, right-click it in the library and make it smooth. It stays the same clip.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The same settings and the same seed give the same clip again. Change one setting and lock the seed to see what that setting does.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The demo model is a toy that shows how the application works. It knows circles, squares and triangles in six colours that move, grow, shrink or stand still on a black, gray or dark blue background, and nothing else.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Nothing that you type or make leaves this computer.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Job</name>
    <message>
        <source>Clip without words</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>JobQueue</name>
    <message>
        <source>Move in the queue</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>JobTile</name>
    <message>
        <source>Being made</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Waits</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Failed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stopping after this step …</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Starting …</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>key frame only</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{rate} fps</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>from a picture</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Paused</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Library</name>
    <message>
        <source>A clip that is in the queue stays: take it out of the queue first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A clip in the bin cannot be deleted.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The star cannot be kept in the clip&apos;s folder.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The clip cannot be moved to the bin. Is a file of it in use?</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The clip cannot be taken out of the bin.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not everything in the bin could be deleted. It is tried again later.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Star clip</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Take star from clip</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Delete clip</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Put back clip</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>LibraryModel</name>
    <message>
        <source>starred</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>key frame</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{number} fps draft</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{number} fps</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>made with a newer kvdesk</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>LibrarySearch</name>
    <message>
        <source>Model</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Size</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>With a star only</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show the bin</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>All</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>with a star</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Only: {filters}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Search words, seed, “starred”</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Search the library</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Clear the words</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Filter by model, size or star; show the bin</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show all again</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>LibraryView</name>
    <message>
        <source>Nothing matches “{words}”.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Nothing matches.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Clear search</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The bin is empty.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Your clips will be kept here.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Make the first one</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Library</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Clips</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>MemoryMeter</name>
    <message>
        <source>GPU</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Memory</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{used} of {total} GB</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No graphics card was found: the processor works.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>MoreSettings</name>
    <message>
        <source>More settings</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Back to the model’s defaults</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>For example: text, blurry</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The model’s defaults</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>NoticeCard</name>
    <message>
        <source>Details</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy details</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Close this notice</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Opener</name>
    <message>
        <source>Choose a picture</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>These are more than {limit} pictures. Choose fewer at a time.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The picture cannot be kept. Is there room in {folder}?</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The clip is not in the library any more.</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>%n picture(s) could not be opened. {reason}</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>{name} could not be opened.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Page</name>
    <message>
        <source>Back</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>PictureSlot</name>
    <message>
        <source>Drop, paste or choose a picture</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose another picture</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Start without a picture</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Opening the picture…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>from {width} × {height}, uses {crop_width} × {crop_height}</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>PlayerCanvas</name>
    <message>
        <source>Clip</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Frame {number} cannot be read: its file is damaged or gone. The other frames are still there.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This picture cannot be read: its file is damaged or gone.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{title}. Frame {number} of {total}.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>PopupList</name>
    <message>
        <source>Type to search</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Found</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Enter takes a line, Delete forgets it</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>PromptBox</name>
    <message>
        <source>Prompts used before</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a cat in a red boat at sunset</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>For example: {prompt}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{count} of {limit} tokens: the end is not read</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{count} of {limit} tokens</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>QueueView</name>
    <message>
        <source>Remove</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pause</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go on</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Move up</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Move down</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Try again</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Edit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Queue {count}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Queue</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Your next clips wait here. You can go on adding while one runs.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The queue is held: go on with it</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Hold the queue after the clip that runs</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Runner</name>
    <message>
        <source>“{title}” was not made. {reason}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Make it smaller</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>“{title}” was interrupted. {reason} It goes on from where it was as soon as the engine has started again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>“{title}” was interrupted twice. {reason} The queue is held, so that you can look into it: try the clip again, make it smaller, or remove it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The engine does not stay alive, so no clips can be made. {reason}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Start it again</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%n clip(s) from last time wait in the queue.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go on with the queue</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>ScrubSlider</name>
    <message>
        <source>Frame {number} of {total}</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>SeedChip</name>
    <message>
        <source>seed {number}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Where chance begins: the same seed gives the same clip. Click to type one.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Seed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Take a new seed for every clip</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Keep this seed for the next clips</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Take another seed</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>SettingsPage</name>
    <message>
        <source>Settings</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>System</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Light</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Dark</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Language</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Colours</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Size of text</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Works on</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Automatic takes a graphics card where there is one.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Clips are kept in</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Clips that are there already stay where they are.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose another folder …</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show in folder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Reduce motion: nothing plays by itself</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Say when a long clip is ready and another window is in front</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Shortcuts</name>
    <message>
        <source>Generate</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go to the prompt</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose a picture to start from</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go to the queue</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Search the library</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go to the clip</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pause the clip that is made</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancel the clip that is made</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Export the clip that is shown</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Compare two clips</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Undo</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Redo</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Help and shortcuts</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Settings</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Back to the clip</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Quit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Space</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Play or pause</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>One frame back or on</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Home, End</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>First or last frame</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Once, loop or boomerang</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Full screen</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save the frame</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Enter</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show the clip</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Delete</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove, with undo</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Star a clip</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Menu key</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Everything else</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>SizePicker</name>
    <message>
        <source>square</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>wide</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>tall</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>other</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{width} × {height}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Any width and height</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Swap width and height</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Width in pixels</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Height in pixels</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>In steps of {step} pixels</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>StageView</name>
    <message>
        <source>The clip that is made</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>key frame</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>preview</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>preview · step {step} of {total}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Getting ready …</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Reading the prompt …</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The first picture is on its way …</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show the finished clip</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Back to the running clip</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Begin a new clip with this frame</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save this frame as a picture</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Compare with another clip</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Export the clip</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Full screen</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Stages</name>
    <message>
        <source>Text</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Key frame</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Motion</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Smooth</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Decode</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Studio</name>
    <message>
        <source>The model {name} is not there any more. The one in use stays.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This is the smallest size already. Close other programs that use the graphics card, or choose fewer frames a second.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Make it smaller</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Submitter</name>
    <message>
        <source>The clip begins with your picture, so there are none to pick from. Take the picture out of the form first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Change a clip of the queue</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>%n of them cannot be made. {reason}</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>The clip is not in the library any more.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A newer kvdesk made this clip. Use that one to go on with it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The clip is in the queue already.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The clip is that smooth already.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The clip that you were changing has started or was removed. Its settings stay in the form, and Generate makes a new clip of them.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>TimeLeft</name>
    <message>
        <source>Stopping …</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Time left not known yet</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Almost done</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{time} left</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Timeline</name>
    <message>
        <source>Progress of the clip</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{words}. Stage {number} of {total}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{stage}: done</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{stage}: later</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{stage}: at work</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{stage}: step {done} of {total}</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>TopBar</name>
    <message>
        <source>Demo model</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Looking for models …</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Model: {name}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Undo {what}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Redo {what}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Queue and library</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Help and shortcuts</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Settings</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Transport</name>
    <message>
        <source>Frame</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>One frame back</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>One frame on</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Compare with another clip</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Begin a new clip with this frame</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save this frame as a picture</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Export the clip</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Full screen</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pause: free the memory and go on later</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stop now</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>It stops after this step. Press again to end it at once.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancel the clip that is made</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pause</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Play</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Space</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Plays once</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Plays in a loop</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Plays forwards and backwards</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Speed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Speed: {speed}</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Wiring</name>
    <message>
        <source>Take an example</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Take values of the motion map</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A clip is being made.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Your clip is ready</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>WorkerDeath</name>
    <message>
        <source>The engine could not be started: {program} is missing or may not be run. Install kvdesk again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The engine belongs to another version of kvdesk. Both sides must come from the same installation: install kvdesk again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The engine was stopped at once and is starting again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The system stopped the engine, possibly because the computer ran out of memory. Close other programs or choose a smaller size, then try again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Another program or the system stopped the engine. Try again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The engine crashed ({name}). Try again. If it happens again, a newer graphics driver may help.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The engine ended by itself with the code {code}. Try again. If it happens again, the details say more.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>window</name>
    <message>
        <source>Something went wrong that should not have. What you made is kept. If the window behaves oddly, close it and start it again.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
</TS>
