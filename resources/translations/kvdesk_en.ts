<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en" sourcelanguage="en">
<context>
    <name>BinBar</name>
    <message numerus="yes">
        <source>Delete %n clip(s) for good? This cannot be undone.</source>
        <translation>
            <numerusform>Delete %n clip for good? This cannot be undone.</numerusform>
            <numerusform>Delete %n clips for good? This cannot be undone.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>CompareView</name>
    <message numerus="yes">
        <source>{letter}: %n frame(s) at {rate} a second</source>
        <translation>
            <numerusform>{letter}: %n frame at {rate} a second</numerusform>
            <numerusform>{letter}: %n frames at {rate} a second</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ComposePanel</name>
    <message numerus="yes">
        <source>%n frame(s), {seconds} s</source>
        <translation>
            <numerusform>%n frame, {seconds} s</numerusform>
            <numerusform>%n frames, {seconds} s</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>JobQueue</name>
    <message numerus="yes">
        <source>Add %n clip(s) to the queue</source>
        <translation>
            <numerusform>Add %n clip to the queue</numerusform>
            <numerusform>Add %n clips to the queue</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Remove %n clip(s) from the queue</source>
        <translation>
            <numerusform>Remove %n clip from the queue</numerusform>
            <numerusform>Remove %n clips from the queue</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>LibraryModel</name>
    <message numerus="yes">
        <source>%n frame(s)</source>
        <translation>
            <numerusform>%n frame</numerusform>
            <numerusform>%n frames</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>Opener</name>
    <message numerus="yes">
        <source>%n picture(s) could not be opened. {reason}</source>
        <translation>
            <numerusform>%n picture could not be opened. {reason}</numerusform>
            <numerusform>%n pictures could not be opened. {reason}</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>Runner</name>
    <message numerus="yes">
        <source>%n clip(s) from last time wait in the queue.</source>
        <translation>
            <numerusform>%n clip from last time waits in the queue.</numerusform>
            <numerusform>%n clips from last time wait in the queue.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>Submitter</name>
    <message numerus="yes">
        <source>%n of them cannot be made. {reason}</source>
        <translation>
            <numerusform>%n of them cannot be made. {reason}</numerusform>
            <numerusform>%n of them cannot be made. {reason}</numerusform>
        </translation>
    </message>
</context>
</TS>
